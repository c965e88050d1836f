import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gitHubIntegrationSpec, type GitHubIntegration } from "../../../src/api/github-integration.ts";
import type { TaskSource } from "../../../src/api/agent-task.ts";
import type { RepositoryRef } from "../../../src/integrations/code-host.ts";
import type { Connection, ThreadTarget } from "../../../src/integrations/connection.ts";
import { connector } from "../../../src/integrations/github/connect.ts";
import { createHttp } from "../../../src/integrations/http.ts";
import { systemClock, type Clock } from "../../../src/shared/clock.ts";
import { silentLogger } from "../../../src/shared/log.ts";
import { startGitHub, type GitHubOptions, type GitHubStandIn } from "./index.ts";
import { call, populate, startReceiver, type Receiver } from "./testing.ts";
import { defined } from "../../../src/shared/defined.ts";

/** A stand-in for GitHub with `acme/shop` and an App installed on it, and our provider signed in through the real HTTP client. */
export interface SignedIn {
  github: GitHubStandIn;
  installation: number;
  /** Receives the App's webhooks. Addresses that begin with its origin and `/hooks/` count as ours. */
  receiver: Receiver;
  hookURL: (route: string) => string;
  repository: RepositoryRef;
  /** An integration with the App's credentials; the fields of `spec` override its own. */
  integration(spec?: Record<string, unknown>, status?: GitHubIntegration["status"]): GitHubIntegration;
  /** Signs in with the App, or with the given secret (`token`). */
  connect(integration?: GitHubIntegration, token?: string): Promise<Connection>;
  /** Signs in with the App and empty caches: without the results of earlier calls and without the pauses that GitHub asked for. */
  connectWithoutCache(clock?: Clock): Promise<Connection>;
  close(): Promise<void>;
}

/** The default spec of an integration. */
const usualSpec = {
  organization: "acme",
  credentials: { app: { appId: 1, privateKeySecretRef: { name: "app", key: "private-key.pem" } } },
  triggers: [{ name: "mention", mention: {} }],
  profileRef: { name: "default" },
};

/** A signal that never aborts. */
export const patiently = new AbortController().signal;

/** Starts the stand-in and signs in. The caller must close it. */
export async function startSignedIn(options: GitHubOptions = {}): Promise<SignedIn> {
  const github = await startGitHub(options);
  const receiver = await startReceiver();
  const hookURL = (route: string): string => `${new URL(receiver.url).origin}/hooks/${route}`;
  const { installation } = await populate(github, hookURL("old"));
  const folder = mkdtempSync(join(tmpdir(), "signed-in-"));
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, github.ca ?? "");
  const http = createHttp({ caFile, allowedHosts: ["127.0.0.1"], clock: systemClock, log: silentLogger });
  const sign = connector({ throttle: false });
  const app = github.app("bellhop");

  const integration: SignedIn["integration"] = (spec = {}, status) => ({
    kind: "GitHubIntegration",
    metadata: { name: "acme", namespace: "default", uid: "5b1f" },
    spec: gitHubIntegrationSpec.parse({
      ...usualSpec,
      url: github.url,
      credentials: { app: { ...usualSpec.credentials.app, appId: app.id } },
      ...spec,
    }),
    ...(status ? { status } : {}),
  });
  const connect: SignedIn["connect"] = (given = integration(), secret = app.privateKey) =>
    sign(given, {
      readGrants: () => Promise.resolve([]),
      readSecret: () => Promise.resolve(Buffer.from(secret)),
      clock: systemClock,
      log: silentLogger,
      fetch: http.fetch,
    });
  const connectWithoutCache: SignedIn["connectWithoutCache"] = (clock = systemClock) =>
    connector({ throttle: false })(integration(), {
      readGrants: () => Promise.resolve([]),
      readSecret: () => Promise.resolve(Buffer.from(app.privateKey)),
      clock,
      log: silentLogger,
      fetch: http.fetch,
    });
  const token = await github.people.createUserToken({ login: "ana" });
  const { body } = await call(github, "GET /repos/acme/shop", token);
  return {
    github,
    installation,
    receiver,
    hookURL,
    repository: { id: String(body["id"]), host: new URL(github.url).host, owner: "acme", name: "shop" },
    integration,
    connect,
    connectWithoutCache,
    close: async () => {
      await github.close();
      await receiver.close();
      await http.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The thread in `acme/shop` that a source belongs to. */
export function aTarget({ repository }: Pick<SignedIn, "repository">, source: TaskSource): ThreadTarget {
  return { source, repository, conversation: source.subject.key };
}

/** The source of a task that an object of `acme/shop` triggered. */
export function aSource(
  type: NonNullable<TaskSource["object"]>["type"],
  id: number,
  more: { number?: number; change?: boolean; headSHA?: string; title?: string; receivedAt?: Date } = {},
): TaskSource {
  const { number, headSHA = "", title, receivedAt = new Date() } = more;
  const key = number === undefined ? `acme/shop@${headSHA.slice(0, 12)}` : `acme/shop#${number}`;
  const subjectType = number === undefined ? "Commit" : more.change ? "Change" : "Issue";
  return {
    provider: "github",
    cause: `${type}/${id}`,
    subject: { type: subjectType, key, ...defined({ number }), ...(title ? { title } : {}) },
    object: { type, id: String(id), ...(headSHA ? { headSHA } : {}) },
    receivedAt: receivedAt.toISOString(),
  };
}
