import { authenticate, authenticateApp, requireScope } from "./api/access.ts";
import { SlackFailure } from "./api/failure.ts";
import type { Answer, Call, Method } from "./api/method.ts";
import { Params } from "./api/params.ts";
import type { CallLog } from "./call-log.ts";
import type { Installation } from "./state/apps.ts";
import type { World } from "./state/world.ts";

/** Dependencies of the API. */
export interface ApiDeps {
  world: World;
  methods: Map<string, Method>;
  log: CallLog;
}

/** One request to `/api/{method}`. */
export interface ApiRequest {
  method: string;
  query: URLSearchParams;
  contentType: string;
  authorization: string | undefined;
  body: Buffer;
}

/** An HTTP answer of the API. */
export interface ApiAnswer {
  status: number;
  headers: Record<string, string>;
  body: Record<string, unknown>;
}

/** The arguments of a request. `json`: the body was JSON. `error`: the body could not be read. */
export interface Given {
  params: Record<string, unknown>;
  json: boolean;
  error?: string;
}

/** Answers one call: finds the method, checks token and scope, calls the handler, and logs the call. */
export async function serveApi(deps: ApiDeps, request: ApiRequest, given: Given): Promise<ApiAnswer> {
  const method = deps.methods.get(request.method);
  const seen: { installation: Installation | undefined } = { installation: undefined };
  let body: Answer;
  try {
    body = { ok: true, ...(await handle(deps, request, given, seen)) };
  } catch (error) {
    body = answerOf(error);
  }
  if (!method) body["req_method"] = request.method;
  // The JSON of an answer has no undefined fields.
  const answer = JSON.parse(JSON.stringify(body)) as Answer;
  note(deps, given, request.method, { answer, installation: seen.installation, status: 200 });
  return { status: 200, headers: headersFor(method, seen.installation), body: answer };
}

/** Reads the arguments of a request from its query and body. */
export function readParams({ query, contentType, body }: ApiRequest): Given {
  const fromQuery = Object.fromEntries(query);
  if (/^application\/json\b/.test(contentType)) return { json: true, ...readJson(body, fromQuery) };
  const form = Object.fromEntries(new URLSearchParams(body.toString()));
  return { params: { ...fromQuery, ...form }, json: false };
}

/** Logs a call and its answer, for the check against Slack's description and for tests. */
function note(
  { world, log, methods }: ApiDeps,
  given: Given,
  method: string,
  outcome: { answer: Answer; installation: Installation | undefined; status: number },
): void {
  const { answer, installation, status } = outcome;
  const { token: _token, client_secret: _secret, refresh_token: _refresh, ...params } = given.params;
  const identity = installation ? `${installation.bot.name} in ${installation.team.domain}` : "anonymous";
  const error = answer["ok"] === true ? null : String(answer["error"]);
  const parsed = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, parsedValue(value)]));
  const at = world.clock.now().toISOString();
  log.calls.push({ at, method, identity, params: parsed, status, error, answer: withoutToken(answer) });
  if (!methods.has(method)) {
    log.unknown.push(method);
    return;
  }
  if (error === "internal_error" && typeof answer["stack"] === "string")
    log.violations.push({ side: "response", subject: method, message: answer["stack"] });
  else log.unchecked.push({ method, params, json: given.json, answer });
}

async function handle(
  { world, methods }: ApiDeps,
  request: ApiRequest,
  given: Given,
  seen: { installation: Installation | undefined },
): Promise<Answer> {
  const method = methods.get(request.method);
  if (!method) throw new SlackFailure("unknown_method");
  if (given.error !== undefined) throw new SlackFailure(given.error);
  // A JSON body is ignored by the methods that accept only forms.
  const params = new Params(given.json && !method.json ? Object.fromEntries(request.query) : given.params);
  const call: Call = { world, params, basic: basicOf(request.authorization) };
  if (method.access === "everyone") return method.handle(call);
  if (method.access === "app")
    return method.handle(Object.assign(call, { app: authenticateApp(world, tokenOf(request, given)) }));
  const installation = authenticate(world, tokenOf(request, given));
  seen.installation = installation;
  requireScope(installation, method);
  return method.handle(Object.assign(call, { installation }));
}

/** A token in a JSON body does not count. */
function tokenOf({ authorization }: ApiRequest, { json, params }: Given): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(authorization ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  return json || typeof params["token"] !== "string" ? undefined : params["token"];
}

function basicOf(authorization: string | undefined): [string, string] | undefined {
  const encoded = /^Basic\s+(\S+)$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const [user = "", password = ""] = Buffer.from(encoded, "base64").toString().split(/:(.*)/s);
  return [user, password];
}

/** Any error but SlackFailure is a bug of the stand-in, and the answer says so. */
function answerOf(error: unknown): Answer {
  if (error instanceof SlackFailure) return { ok: false, error: error.code, ...error.more };
  const stack = error instanceof Error ? error.stack : String(error);
  return { ok: false, error: "internal_error", stack: `stand-in failed: ${stack ?? ""}` };
}

function headersFor(method: Method | undefined, installation: Installation | undefined): Record<string, string> {
  if (!installation) return {};
  return {
    "x-oauth-scopes": [...installation.scopes].join(","),
    ...(method && method.scopes.length > 0 && { "x-accepted-oauth-scopes": method.scopes.join(",") }),
  };
}

function readJson(body: Buffer, fromQuery: Record<string, unknown>): Omit<Given, "json"> {
  try {
    const value = JSON.parse(body.toString()) as unknown;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return { params: fromQuery, error: "json_not_object" };
    return { params: { ...fromQuery, ...value } };
  } catch {
    return { params: fromQuery, error: "invalid_json" };
  }
}

function parsedValue(value: unknown): unknown {
  if (typeof value !== "string" || !/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function withoutToken(answer: Answer): Answer {
  const { access_token, refresh_token, ...rest } = answer;
  return {
    ...rest,
    ...(access_token === undefined ? {} : { access_token: "(a token)" }),
    ...(refresh_token === undefined ? {} : { refresh_token: "(a token)" }),
  };
}
