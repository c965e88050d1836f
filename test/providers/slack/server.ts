import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { sleep } from "../../../src/shared/clock.ts";
import type { Failure, Failures } from "../stand-in/failures.ts";
import { listenerOf, readBody } from "../stand-in/serve.ts";
import { take } from "./failures.ts";
import { serveResponseUrl } from "./response-urls.ts";
import { readParams, serveApi } from "./serve-api.ts";
import type { ApiDeps, ApiRequest, Given } from "./serve-api.ts";

/** Dependencies of the server. */
export interface ServerDeps extends ApiDeps {
  failures: Failures;
}

/** Answers all requests to the stand-in: the Web API at `/api/{method}`, and response URLs. */
export function listener(deps: ServerDeps): RequestListener {
  return listenerOf((request, response) => serve(deps, request, response));
}

async function serve(deps: ServerDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://stand-in");
  const body = await readBody(request);
  const method = /^\/api\/([\w.]+)$/.exec(url.pathname)?.[1];
  if (method !== undefined) {
    const { authorization } = request.headers;
    const contentType = request.headers["content-type"] ?? "";
    await call(deps, request, response, { method, query: url.searchParams, contentType, authorization, body });
    return;
  }
  if (request.method === "POST" && /^\/(actions|commands)\//.test(url.pathname)) {
    const answer = serveResponseUrl(deps.world, `${deps.world.baseUrl()}${url.pathname}`, body.toString());
    send(response, answer.status, {}, answer.body);
    return;
  }
  send(response, 404, {}, "not found");
}

/** Answers a call of the Web API, or fails as a test asked. */
async function call(
  deps: ServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  asked: ApiRequest,
): Promise<void> {
  const given = readParams(asked);
  const channel = given.params["channel"];
  const failure = take(deps.failures, asked.method, typeof channel === "string" ? channel : undefined);
  if (failure?.kind === "reset") {
    request.socket.destroy();
    return;
  }
  if (failure?.kind === "answer") {
    injectAnswer(deps, response, asked, { given, failure });
    return;
  }
  if (failure?.kind === "slow") await sleep(deps.world.clock, failure.delayMs);
  const { status, headers, body } = await serveApi(deps, asked, given);
  // The connection is reset before a byte of the answer is sent; the call has taken effect.
  if (failure?.kind === "dropAnswer") request.socket.destroy();
  else if (failure?.kind !== "keepAnswer") send(response, status, headers, body);
}

function injectAnswer(
  deps: ServerDeps,
  response: ServerResponse,
  asked: ApiRequest,
  { given, failure }: { given: Given; failure: Failure & { kind: "answer" } },
): void {
  const { status, headers = {}, body } = failure;
  const answer = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const params = { ...given.params };
  const at = deps.world.clock.now().toISOString();
  const { token: _, client_secret: __, ...shown } = params;
  const error = typeof answer["error"] === "string" ? answer["error"] : `injected ${status}`;
  deps.log.calls.push({ at, method: asked.method, identity: "not read", params: shown, status, error, answer });
  send(response, status, headers, (body as string | Record<string, unknown> | undefined) ?? {});
}

function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string | Record<string, unknown>,
): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/plain; charset=utf-8" : "application/json; charset=utf-8";
  response.writeHead(status, { "content-type": type, "x-slack-req-id": randomUUID().replaceAll("-", ""), ...headers });
  response.end(text);
}
