import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { Agent, request } from "undici";
import { makeTls } from "../../test/providers/stand-in/tls.ts";
import type { GitHubStandIn } from "../../test/providers/github/index.ts";
import type { AgentTaskStatus } from "../api/agent-task-status.ts";
import type { AgentTask } from "../api/kinds.ts";
import { createHttp } from "../integrations/http.ts";
import type { Secret } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import { systemClock, type Clock } from "../shared/clock.ts";
import { silentLogger, type Logger } from "../shared/log.ts";
import { createApp } from "./app.ts";
import { signCapability, type Grant, type SigningKeys } from "./capability.ts";
import { createFetchBounds } from "./fetch.ts";
import { createMetrics } from "./metrics.ts";
import { createPeers } from "./guard.ts";
import { createBrokerServer } from "./server.ts";

/** The signing key of the brokers in tests. */
export const signing: SigningKeys = [Buffer.from("a signing key of a test")];

/** A broker in this process, on the loopback address, with its own TLS certificate. */
export interface RunningBroker {
  url: string;
  caFile: string;
  /** Calls a route as a courier or an agent does. */
  call(method: "GET" | "POST" | "HEAD" | "DELETE", path: string, given?: BrokerCall): Promise<BrokerAnswer>;
  stop(): Promise<void>;
}

export interface BrokerCall {
  bearer?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface BrokerAnswer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  /** The code of a refusal. */
  code: string | undefined;
  /** The human-readable message of a refusal. */
  message: string | undefined;
}

/** Options of a broker in tests. */
export interface BrokerOptions {
  client: KubeClient;
  /** The namespace of the broker. */
  namespace?: string;
  github?: Pick<GitHubStandIn, "ca">;
  clock?: Clock;
  log?: Logger;
  keys?: () => SigningKeys | undefined;
  maxPushBytes?: number;
  /** Whether all sandboxes share one address, as on the process node. */
  shared?: boolean;
}

/** Starts a broker; the test must stop it. */
export async function aBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { client, namespace = "bellhop-broker", clock = systemClock } = options;
  const folder = mkdtempSync(join(tmpdir(), "bellhop-broker-test-"));
  const tls = await makeTls(["127.0.0.1"]);
  const caFile = join(folder, "ca.crt");
  const hostCaFile = join(folder, "host-ca.crt");
  writeFileSync(caFile, tls.ca);
  writeFileSync(hostCaFile, options.github?.ca ?? tls.ca);
  const common = { clock, log: options.log ?? silentLogger };
  const http = createHttp({ ...common, caFile: hostCaFile, allowedHosts: ["127.0.0.1"] });
  const git = {
    client,
    namespace,
    fetch: http.fetch,
    log: silentLogger,
    clock,
    fetches: createFetchBounds(),
    maxPushBytes: options.maxPushBytes ?? 10_000_000,
  };
  const app = createApp({
    ...common,
    client,
    git,
    keys: options.keys ?? (() => signing),
    peers: createPeers(clock, { shared: options.shared ?? false }),
    metrics: createMetrics(new Registry()),
  });
  const server = createBrokerServer(app, { port: 0, host: "127.0.0.1" });
  server.use({ tls: { cert: tls.cert, key: tls.key }, signing });
  while (server.port === undefined) await new Promise((resolve) => setImmediate(resolve));
  const url = `https://127.0.0.1:${server.port}`;
  const dispatcher = new Agent({ connect: { ca: tls.ca } });
  return {
    url,
    caFile,
    call: (method, path, given = {}) => callBroker(dispatcher, { method, url: `${url}${path}` }, given),
    async stop() {
      await dispatcher.close();
      await server.close();
      await http.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function callBroker(
  dispatcher: Agent,
  { method, url }: { method: "GET" | "POST" | "HEAD" | "DELETE"; url: string },
  { bearer, body, headers }: BrokerCall,
): Promise<BrokerAnswer> {
  const payload =
    body === undefined ? {} : { body: body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body) };
  const answer = await request(url, {
    method,
    dispatcher,
    headers: { ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }), ...headers },
    ...payload,
  });
  const text = await answer.body.text();
  const { error } = text.startsWith("{") ? (JSON.parse(text) as { error?: { code?: string; message?: string } }) : {};
  return { status: answer.statusCode, headers: answer.headers, text, code: error?.code, message: error?.message };
}

/** A task with one running sandbox. */
export function aRunningTask(over: { status?: AgentTaskStatus; spec?: Partial<AgentTask["spec"]> } = {}): AgentTask {
  return {
    metadata: { name: "shop-abc", namespace: "team", uid: "uid-shop-abc" },
    spec: {
      integrationRef: { kind: "GitHubIntegration", name: "shop" },
      source: { provider: "github", cause: "issue_comment/1", subject: { type: "Issue", key: "acme/shop#1" } },
      actor: { id: "1", login: "ana" },
      conversation: "acme/shop#1",
      profileRef: { name: "default" },
      ...over.spec,
    },
    status: {
      attempts: [{ number: 1, podName: "shop-abc-sandbox-1", podUID: "pod-1" }],
      ...over.status,
    },
  };
}

/** The grant of the courier of `aRunningTask`; with `scope: "agent"` the grant of its agent. */
export function aGrant(over: Partial<Grant> = {}): Grant {
  return {
    namespace: "team",
    task: "shop-abc",
    taskUID: "uid-shop-abc",
    attempt: 1,
    podUID: "pod-1",
    peer: "127.0.0.1",
    scope: "courier",
    exp: Math.floor(Date.now() / 1000) + 600,
    ...over,
  };
}

/** A capability for a grant. */
export const capability = (over: Partial<Grant> = {}): string => signCapability(aGrant(over), signing);

/** The Secret of a task, as the operator stores it. */
export function credentials(
  taskUID: string,
  files: Record<string, { username: string; password: string; cloneURL: string }>,
): Secret {
  const data = Object.fromEntries(
    Object.entries(files).map(([file, credential]) => [
      `${file}.json`,
      Buffer.from(JSON.stringify({ ...credential, expiresAt: "2099-01-01T00:00:00Z" })).toString("base64"),
    ]),
  );
  return { metadata: { name: `task-${taskUID}`, namespace: "bellhop-broker" }, data };
}

/** The result of a git process. */
export interface GitRun {
  code: number;
  out: string;
  err: string;
}

/** Runs git without the configuration of this machine, and with a capability for the broker if one is given. */
export function runGit(
  args: readonly string[],
  given: { cwd: string; broker?: Pick<RunningBroker, "caFile">; bearer?: string; config?: Record<string, string> },
): Promise<GitRun> {
  const config = {
    "user.name": "A Test",
    "user.email": "test@example.com",
    ...(given.bearer === undefined ? {} : { "http.extraHeader": `Authorization: Bearer ${given.bearer}` }),
    ...given.config,
  };
  const pairs = Object.entries(config).flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  const env = {
    PATH: process.env["PATH"],
    HOME: given.cwd,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_COUNT: String(pairs.length / 2),
    ...(given.broker ? { GIT_SSL_CAINFO: given.broker.caFile } : {}),
    ...Object.fromEntries(pairs),
  };
  return new Promise((resolve) => {
    execFile("git", args, { cwd: given.cwd, env, timeout: 30_000, maxBuffer: 50_000_000 }, (error, out, err) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, err });
    });
  });
}
