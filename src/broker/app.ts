import express, { type Express, type NextFunction, type Request, type Response } from "express";
import type { z } from "zod";
import { ApiError } from "../kube/errors.ts";
import type { KubeClient } from "../kube/types.ts";
import { eventBatch, proposal, routes } from "../sandbox/protocol/channel.ts";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";
import { recordEvents } from "./events.ts";
import { announceFetch, uploadPack, type FetchDeps } from "./fetch.ts";
import type { GitRequest } from "./forward.ts";
import type { Grant, SigningKeys } from "./capability.ts";
import { requireCourier, requireGrant, type Caller, type Peers } from "./guard.ts";
import type { Metrics } from "./metrics.ts";
import { recordProposal, taskState } from "./proposal.ts";
import { announcePush, receivePack, type PushDeps } from "./push.ts";
import { Refusal } from "./refusal.ts";
import { openSession } from "./session.ts";

/** Dependencies of `createApp`. */
export interface AppDeps {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  /** The signing keys; undefined until the operator has stored them. */
  keys: () => SigningKeys | undefined;
  peers: Peers;
  git: FetchDeps & PushDeps;
  metrics: Metrics;
}

const maxJsonBytes = "1.5mb";
/** How long a refused sender may take to read the answer before its connection is closed. */
const lingerMs = 2_000;

/** Creates the HTTP application of the broker. Each route has an exact method and path; every other path is answered with 404. */
export function createApp(deps: AppDeps): Express {
  const app = express();
  const courier = courierOnly(deps);
  const json = express.json({ limit: maxJsonBytes, type: () => true });
  for (const setting of ["case sensitive routing", "strict routing"]) app.enable(setting);
  for (const setting of ["x-powered-by", "etag"]) app.disable(setting);
  app.use(countRequests(deps), requireKnownMethod);

  app.post(routes.session, async (request, response) => {
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
    response.json(await openSession(deps, { token, peer: peerOf(request) }, abortOnHangUp(response)));
  });
  app.post(routes.events, courier, json, async (request, response) => {
    await recordEvents(deps, grantOf(response), parsed(eventBatch, request.body), abortOnHangUp(response));
    response.status(204).end();
  });
  app.post(routes.proposal, courier, json, async (request, response) => {
    await recordProposal(deps.client, grantOf(response), parsed(proposal, request.body), abortOnHangUp(response));
    response.status(204).end();
  });
  app.get(routes.task, courier, async (_request, response) => {
    response.json(await taskState(deps.client, grantOf(response), abortOnHangUp(response)));
  });
  app.get(`${routes.git}/:repository/info/refs`, git(deps, infoRefs));
  app.post(`${routes.git}/:repository/git-upload-pack`, git(deps, uploadPack));
  app.post(`${routes.git}/:repository/git-receive-pack`, git(deps, receivePack));
  app.use(() => {
    throw new Refusal(404, "NoRoute", "the broker has no such route; check the method and the path");
  });
  app.use(answerError(deps));
  return app;
}

type GitRoute = (deps: FetchDeps & PushDeps, git: GitRequest) => Promise<void>;

/** Handles `GET …/info/refs?service=…`, with which every fetch and every push starts. */
const infoRefs: GitRoute = (deps, git) => {
  const service = git.request.query["service"];
  if (service === "git-upload-pack") return announceFetch(deps, git);
  if (service === "git-receive-pack") return announcePush(deps, git);
  throw new Refusal(400, "UnknownService", "unknown service; the broker supports git-upload-pack and git-receive-pack");
};

function git(deps: AppDeps, route: GitRoute) {
  return async (request: Request<{ repository: string }>, response: Response): Promise<void> => {
    const signal = abortOnHangUp(response);
    const grant = await requireGrant(deps, callerOf(request), signal);
    await route(deps.git, { grant, repositoryId: request.params.repository, request, response, signal });
  };
}

/** Rejects other methods: Express would answer HEAD with the route of GET, and OPTIONS itself. */
function requireKnownMethod(request: Request, _response: Response, next: NextFunction): void {
  if (request.method !== "GET" && request.method !== "POST") {
    throw new Refusal(405, "NoRoute", "the broker accepts GET and POST only");
  }
  next();
}

/** Runs before the body is read, so that the body of an unauthorized request is never parsed. */
function courierOnly(deps: AppDeps) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    response.locals["grant"] = await requireCourier(deps, callerOf(request), abortOnHangUp(response));
    next();
  };
}

function grantOf(response: Response): Grant {
  return response.locals["grant"] as Grant;
}

function callerOf(request: Pick<Request, "headers" | "socket">): Caller {
  return { authorization: request.headers.authorization, peer: peerOf(request) };
}

/** The address at the other end of the connection. Headers such as X-Forwarded-For are ignored. */
function peerOf(request: Pick<Request, "socket">): string {
  return (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
}

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Refusal(
    400,
    "Malformed",
    `${issue?.path.join(".") || "body"}: ${issue?.message ?? "not the expected format"}`,
  );
}

/** A signal that aborts when the client closes the connection before the answer is complete. */
function abortOnHangUp(response: Response): AbortSignal {
  const abort = new AbortController();
  response.on("close", () => {
    if (!response.writableFinished) abort.abort(new Error("the client closed the connection"));
  });
  return abort.signal;
}

function countRequests(deps: AppDeps) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const started = deps.clock.now().getTime();
    response.on("finish", () => {
      const route = (request.route as { path?: string } | undefined)?.path ?? "none";
      const seconds = (deps.clock.now().getTime() - started) / 1000;
      deps.metrics.request({ route, code: String(response.statusCode) }, seconds);
    });
    next();
  };
}

function answerError(deps: AppDeps) {
  // Express recognises error handlers by their four parameters.
  return (error: unknown, request: Request, response: Response, _next: NextFunction): void => {
    const { status, code, message } = asRefusal(error);
    const fields = { code, status, path: request.path, peer: peerOf(request) };
    if (status >= 500) deps.log.error({ ...fields, error }, "could not handle a request");
    else deps.log.info(fields, "request refused");
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (!request.complete) closeAfterAnswer(deps, request, response);
    if (status === 503 || status === 429) response.setHeader("retry-after", "1");
    if (status === 401) response.setHeader("www-authenticate", "Bearer");
    response.status(status).json({ error: { code, message } });
  };
}

/** For a body that is refused before its end: gives the sender time to read the answer, then closes the connection. */
function closeAfterAnswer({ clock }: AppDeps, request: Request, response: Response): void {
  response.setHeader("connection", "close");
  request.resume();
  const cancel = clock.after(lingerMs, () => request.socket.destroy());
  request.socket.once("close", cancel);
}

function asRefusal(error: unknown): { status: number; code: string; message: string } {
  if (error instanceof Refusal) return error;
  if (error instanceof ApiError && error.reason === "Conflict") {
    return { status: 503, code: "Conflict", message: "the task was changed at the same time; send the request again" };
  }
  if (error instanceof ApiError && error.retryable) {
    return {
      status: 503,
      code: "ApiServerUnavailable",
      message: "the API server does not answer; send the request again",
    };
  }
  const { status, expose, message } = (error ?? {}) as { status?: number; expose?: boolean; message?: string };
  if (expose === true && status !== undefined)
    return { status, code: "Malformed", message: message ?? "the request is malformed" };
  return { status: 500, code: "Internal", message: "internal error of the broker; its log has the details" };
}
