import express, { type ErrorRequestHandler, type Express, type Request, type Response } from "express";
import { refused, type Answer } from "../intake/answer.ts";
import { defined } from "../shared/defined.ts";
import { describeError, errorCode } from "../shared/errors.ts";
import { handleHook, type HookDeps } from "./hooks.ts";
import { recordDelivery, type RecordDeps } from "./record-delivery.ts";

/** Dependencies of `createApp`. */
export interface AppDeps extends HookDeps, RecordDeps {
  /** True after the shutdown has begun: connections are then closed after each answer. */
  draining: () => boolean;
}

/** The HTTP application: `POST /hooks/<id>` receives deliveries; every other request gets an error. Every answer is JSON. */
export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable("x-powered-by").disable("etag").set("query parser", false);
  app.post("/hooks/:id", (request, response) => deliver(deps, request, response));
  app.all("/hooks/:id", (request, response) => {
    response.set("allow", "POST");
    send(deps, request, response, refused(405, "MethodNotAllowed", "Hooks accept POST only."));
  });
  app.use((request, response) =>
    send(deps, request, response, refused(404, "NotFound", "No such path. Deliveries go to /hooks/<id>.")),
  );
  app.use(failure(deps));
  return app;
}

async function deliver(deps: AppDeps, request: Request, response: Response): Promise<void> {
  const startedMs = performance.now();
  const handled = await handleHook(deps, request);
  send(deps, request, response, handled.answer);
  recordDelivery(deps, handled, performance.now() - startedMs);
}

/** Closes the connection during the shutdown, and if the rest of a body would otherwise be read as the next request. */
function send(deps: AppDeps, request: Request, response: Response, answer: Answer): void {
  const { status, headers, text } = wireFormOf(answer);
  if (response.headersSent || response.destroyed) return;
  if (deps.draining() || !request.complete) response.set("connection", "close");
  response.status(status).set(headers).set("content-length", String(text.length)).write(text);
  if (request.complete) response.end();
  else discard(request, () => response.end());
}

/** The answer as it is sent: in the provider's own form, if there is one. */
function wireFormOf({ status, headers, body, reply }: Answer): {
  status: number;
  headers: Record<string, string>;
  text: Buffer;
} {
  if (!reply) return { status, headers, text: Buffer.from(`${JSON.stringify(body)}\n`) };
  const { "retry-after": retryAfter } = headers;
  return {
    status: reply.status,
    headers: { ...defined({ "retry-after": retryAfter }), ...reply.headers },
    text: Buffer.from(reply.body),
  };
}

const maxDiscardedBytes = 64 * 1024 * 1024;
const maxDiscardMs = 5_000;

/**
 * Reads and discards the rest of the request, within limits, then calls `done`. Node closes the connection at the end of the
 * answer. A sender that writes everything before it reads would then see a connection reset instead of the answer.
 */
function discard(request: Request, done: () => void): void {
  let bytes = 0;
  const timer = setTimeout(done, maxDiscardMs);
  const finish = (): void => {
    clearTimeout(timer);
    done();
  };
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxDiscardedBytes) finish();
  });
  request.on("error", finish).on("end", finish).on("close", finish);
  request.resume();
}

/** Answers requests that Express rejects itself (for example a path that is not UTF-8), and our own bugs. */
function failure(deps: AppDeps): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    if (isClientError(error))
      return send(deps, request, response, refused(400, "BadRequest", "The request cannot be parsed; check its URL."));
    deps.log.error({ error: describeError(error), code: errorCode(error) }, "could not handle a request");
    deps.metrics.deliveries.inc({ provider: "none", result: "refused", reason: "InternalError" });
    send(
      deps,
      request,
      response,
      refused(500, "InternalError", "Internal error. The log of the gateway has the details."),
    );
  };
}

function isClientError(error: unknown): boolean {
  return typeof error === "object" && error !== null && "status" in error && error.status === 400;
}
