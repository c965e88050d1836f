import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import {
  type AgentEvent,
  eventBatch,
  proposal,
  type Proposal,
  type TaskState,
} from "../../sandbox/protocol/channel.ts";

/** A broker without a cluster: speaks the channel over TLS, with `git http-backend` on real repositories behind its git routes. */
export interface TestBroker {
  url: string;
  ca: string;
  /** Request that opens a session. */
  token: string;
  events: AgentEvent[];
  sequences: number[];
  proposals: Proposal[];
  pushes: string[];
  /** Answer to `GET /v1/task`; it grants the proposal unless a test says otherwise. */
  decide: (proposed: Proposal | undefined) => TaskState;
  /** How many sessions were opened. */
  sessions: number;
  /** The broker's clock. A session lasts an hour. */
  now: () => Date;
  /** When true, every request is cut off. */
  away: boolean;
  /** Revokes all capabilities issued so far; they get 401. */
  expire(): void;
  close(): Promise<void>;
}

const token = "pod-bound-token-0123456789";

/** Starts a stand-in broker on a loopback port. */
export async function startBroker({ projects, root }: { projects: string; root: string }): Promise<TestBroker> {
  const { certificate, key } = selfSigned(root);
  let generation = 1;
  const broker: TestBroker = {
    url: "",
    ca: certificate,
    token,
    events: [],
    sequences: [],
    proposals: [],
    pushes: [],
    sessions: 0,
    now: () => new Date(),
    away: false,
    decide: (proposed) => ({
      stop: false,
      ...(proposed ? { publish: { ref: proposed.ref, newId: proposed.newId } } : {}),
    }),
    expire: () => void generation++,
    close: () => Promise.resolve(),
  };
  const server = createServer({ cert: certificate, key }, (request, response) => {
    if (broker.away) request.socket.destroy();
    else void route({ broker, projects, request, response, suffix: String(generation) });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  broker.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  broker.close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return broker;
}

interface Exchange {
  broker: TestBroker;
  projects: string;
  request: IncomingMessage;
  response: ServerResponse;
  /** Creates the capabilities that are valid now. */
  suffix: string;
}

async function route(exchange: Exchange): Promise<void> {
  const { broker, request, response, suffix } = exchange;
  const url = new URL(request.url ?? "/", broker.url);
  const given = request.headers.authorization?.replace(/^Bearer /, "");
  const names = { capability: `capability-courier-${suffix}`, agentCapability: `capability-agent-${suffix}` };
  try {
    if (url.pathname === "/v1/session" && given === token) {
      broker.sessions++;
      answer(response, { ...names, expiresAt: new Date(broker.now().getTime() + 3_600_000).toISOString() });
    } else if (given === names.capability) {
      await forCourier(exchange, url);
    } else if (given === names.agentCapability) {
      await forAgent(exchange, url);
    } else refuse(response, 401);
  } catch (error) {
    response.writeHead(500).end(JSON.stringify({ error: { code: "Internal", message: String(error) } }));
  }
}

async function forCourier(exchange: Exchange, url: URL): Promise<void> {
  const { broker, response } = exchange;
  if (!url.pathname.startsWith("/git/")) return channel(exchange, url.pathname);
  if (isPush(url)) {
    if (!broker.decide(broker.proposals.at(-1)).publish) return refuse(response, 403);
    broker.pushes.push(url.pathname);
  }
  return backend(exchange, url);
}

async function forAgent(exchange: Exchange, url: URL): Promise<void> {
  if (!url.pathname.startsWith("/git/") || isPush(url)) return refuse(exchange.response, 403);
  return backend(exchange, url);
}

function isPush(url: URL): boolean {
  return url.pathname.endsWith("/git-receive-pack") || url.searchParams.get("service") === "git-receive-pack";
}

async function channel({ broker, request, response }: Exchange, path: string): Promise<void> {
  if (path === "/v1/task") return answer(response, broker.decide(broker.proposals.at(-1)));
  const body: unknown = JSON.parse((await bodyOf(request)).toString("utf8"));
  if (path === "/v1/events") {
    const batch = eventBatch.parse(body);
    broker.sequences.push(batch.sequence);
    broker.events.splice(batch.sequence, batch.events.length, ...batch.events);
  } else broker.proposals.push(proposal.parse(body));
  answer(response, {});
}

async function backend({ projects, request, response }: Exchange, url: URL): Promise<void> {
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: projects,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      PATH_INFO: url.pathname.replace(/^\/git/, ""),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_USER: "broker",
    },
  });
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  const out = await bodyOf(child.stdout);
  const end = out.indexOf("\r\n\r\n");
  const headers = out.subarray(0, Math.max(0, end)).toString("latin1").split("\r\n").filter(Boolean);
  let status = 200;
  for (const header of headers) {
    const [name = "", value = ""] = header.split(/: (.*)/s);
    if (name === "Status") status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status).end(out.subarray(end + 4));
}

async function bodyOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function answer(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: { code: status === 401 ? "Unauthorized" : "Forbidden", message: "no" } }));
}

/** Creates a self-signed certificate for the loopback address with openssl. */
function selfSigned(root: string): { certificate: string; key: string } {
  const [cert, key] = [path.join(root, "tls.crt"), path.join(root, "tls.key")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const subject = ["-subj", "/CN=broker of a test", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "pipe" });
  return { certificate: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}
