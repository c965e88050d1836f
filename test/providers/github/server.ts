import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { identify } from "./auth.ts";
import type { Failure, Failures } from "../stand-in/failures.ts";
import { listenerOf, readBody } from "../stand-in/serve.ts";
import { HttpFailure } from "./rest/failure.ts";
import type { Answer } from "./rest/route.ts";
import { redirectOf, withPresentName } from "./moved.ts";
import { parseGitPath, serveGit } from "./serve-git.ts";
import { answerOf, serveRest } from "./serve-rest.ts";
import type { RestDeps } from "./serve-rest.ts";
import { sleep } from "../../../src/shared/clock.ts";

/** Dependencies of the server. */
export interface ServerDeps extends RestDeps {
  failures: Failures;
  /** Called after every request that may have changed the state. */
  changed: () => void;
}

/** Answers all requests to the stand-in's web address. */
export function listener(deps: ServerDeps): RequestListener {
  return listenerOf((request, response) => serve(deps, request, response));
}

async function serve(deps: ServerDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://stand-in");
  const method = request.method ?? "GET";
  const path = url.pathname.replace(/^\/api\/v3(?=\/|$)/, "");
  const body = await readBody(request);
  const failure = deps.failures.take(method, path);
  if (failure?.kind === "reset") {
    request.socket.destroy();
    return;
  }
  if (failure?.kind === "answer") {
    inject(response, failure);
    return;
  }
  if (failure?.kind === "slow") await sleep(deps.world.clock, failure.delayMs);
  // The connection is reset before a byte of the answer is sent; the request still takes effect.
  if (failure?.kind === "dropAnswer" || failure?.kind === "keepAnswer") muffle(response);
  await dispatch(deps, request, response, { url, path, body });
  if (method !== "GET") deps.changed();
  if (failure?.kind === "dropAnswer") request.socket.destroy();
}

async function dispatch(
  deps: ServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  given: { url: URL; path: string; body: Buffer },
): Promise<void> {
  const { url, path, body } = given;
  const query = url.searchParams;
  const { authorization } = request.headers;
  const method = request.method ?? "GET";
  const moved = redirectOf(deps.world, method, url);
  if (moved) {
    send(response, moved);
    return;
  }
  if (url.pathname.startsWith("/api/v3")) {
    const named = withPresentName(deps.world, path);
    send(response, await serveRest(deps, { method, path: named, query, authorization, body }));
    return;
  }
  const at = parseGitPath(url.pathname);
  if (!at) {
    send(response, page(deps, url.pathname));
    return;
  }
  try {
    const identity = identify(deps.world, authorization);
    await serveGit(deps.world, request, response, { ...at, query, body, identity, log: deps.log.git });
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    sendText(response, error.status, `${error.message}\n`, error.headers);
  }
}

/** The only web pages of the stand-in: job logs. */
function page(deps: ServerDeps, path: string): Answer {
  const id = Number(/^\/_logs\/(\d+)$/.exec(path)?.[1]);
  const job = deps.world.data.runs.flatMap((run) => run.jobs).find((candidate) => candidate.id === id);
  if (job) return { status: 200, text: job.log };
  return answerOf(new HttpFailure(404, "Not Found"));
}

function inject(response: ServerResponse, failure: Failure & { kind: "answer" }): void {
  const { status, body, headers } = failure;
  if (typeof body === "string") sendText(response, status, body, headers);
  else send(response, { status, body: body ?? { message: "Injected failure" }, ...(headers && { headers }) });
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer.text !== undefined) {
    sendText(response, answer.status, answer.text, answer.headers);
    return;
  }
  const text = answer.body === undefined ? "" : JSON.stringify(answer.body);
  const type = text === "" ? {} : { "content-type": "application/json; charset=utf-8" };
  response.writeHead(answer.status, { ...type, ...common(), ...answer.headers });
  response.end(text);
}

function sendText(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...common(), ...headers });
  response.end(text);
}

function common(): Record<string, string> {
  return {
    "x-github-request-id": randomUUID().slice(0, 18).toUpperCase(),
    "x-github-enterprise-version": "3.19.0",
    "x-github-media-type": "github.v3; format=json",
  };
}

function muffle(response: ServerResponse): void {
  response.writeHead = () => response;
  response.write = () => true;
  response.end = () => response;
}
