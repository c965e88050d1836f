import type { CallLog } from "./call-log.ts";
import { describeIdentity, identify } from "./auth.ts";
import type { Identity } from "./auth.ts";
import { admit } from "./rest/access.ts";
import { HttpFailure } from "./rest/failure.ts";
import type { Answer, Call } from "./rest/route.ts";
import type { Match, Router } from "./rest/router.ts";
import { timestamp } from "./state/world.ts";
import type { World } from "./state/world.ts";

/** Dependencies of the REST handler. */
export interface RestDeps {
  world: World;
  router: Router;
  log: CallLog;
  redeliver: Call["redeliver"];
}

/** A REST request; `path` does not contain `/api/v3`. */
export interface RestRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  authorization: string | undefined;
  body: Buffer;
}

/** Answers one request: finds the route, checks credentials and permission, calls the handler. Logs the call for the check against GitHub's description. */
export async function serveRest(deps: RestDeps, request: RestRequest): Promise<Answer> {
  const match = deps.router(request.method, request.path);
  const seen: { identity: Identity; body: unknown } = { identity: { kind: "anonymous" }, body: undefined };
  let answer: Answer;
  try {
    seen.body = parse(request.body);
    seen.identity = identify(deps.world, request.authorization);
    answer = await handle(deps, request, match, seen);
  } catch (error) {
    answer = answerOf(error);
  }
  note(deps, request, match, { ...seen, answer });
  return { ...answer, headers: { ...rateHeaders(deps.world), ...answer.headers } };
}

/** Converts an error to GitHub's format. Any error but HttpFailure is a bug of the stand-in, and the answer says so. */
export function answerOf(error: unknown): Answer {
  if (!(error instanceof HttpFailure)) {
    return {
      status: 500,
      body: { message: `stand-in failed: ${error instanceof Error ? error.stack : String(error)}` },
    };
  }
  const body = {
    message: error.message,
    ...(error.errors && { errors: error.errors }),
    documentation_url: "https://docs.github.com/rest",
    status: String(error.status),
  };
  return { status: error.status, body, headers: error.headers };
}

async function handle(
  deps: RestDeps,
  request: RestRequest,
  match: Match | undefined,
  seen: { identity: Identity; body: unknown },
): Promise<Answer> {
  if (!match) throw new HttpFailure(404, "Not Found");
  const { path, query } = request;
  const { world, redeliver } = deps;
  const { identity } = seen;
  const body = bodyRecord(seen.body);
  const call: Call = { world, identity, params: match.params, query, body, path, redeliver };
  return match.route.handle(admit(match.route.access, call));
}

/** `POST …/labels` also accepts a bare list. */
function bodyRecord(body: unknown): Record<string, unknown> {
  if (Array.isArray(body)) return { labels: body };
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
}

function parse(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new HttpFailure(400, "Problems parsing JSON");
  }
}

function note(
  deps: RestDeps,
  request: RestRequest,
  match: Match | undefined,
  seen: { identity: Identity; body: unknown; answer: Answer },
): void {
  const operation = match?.route.operation ?? null;
  const { method, path, query } = request;
  const { answer, body } = seen;
  const identity = describeIdentity(seen.identity);
  const at = timestamp(deps.world);
  deps.log.rest.push({ at, method, path, query: query.toString(), operation, identity, body, status: answer.status });
  if (operation === null) {
    deps.log.unknown.push(`${method} ${path}`);
    return;
  }
  if (answer.status === 500)
    deps.log.violations.push({ side: "response", subject: operation, message: JSON.stringify(answer.body) });
  const exchange = { operation, query, requestBody: body, status: answer.status, responseBody: answer.body };
  deps.log.unchecked.push(roundTrip(exchange));
}

/** The JSON of an answer, without undefined fields. */
function roundTrip<T extends { responseBody: unknown }>(exchange: T): T {
  const { responseBody } = exchange;
  return {
    ...exchange,
    responseBody: responseBody === undefined ? undefined : JSON.parse(JSON.stringify(responseBody)),
  };
}

function rateHeaders(world: World): Record<string, string> {
  const reset = Math.floor(world.clock.now().getTime() / 1000) + 3600;
  return {
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "4999",
    "x-ratelimit-used": "1",
    "x-ratelimit-reset": String(reset),
    "x-ratelimit-resource": "core",
  };
}
