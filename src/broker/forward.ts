import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { KubeClient } from "../kube/types.ts";
import { describeError } from "../shared/errors.ts";
import type { Logger } from "../shared/log.ts";
import type { GitRequest } from "./git-request.ts";
import { Refusal } from "./refusal.ts";
import { taskCredential, type TaskCredential } from "./task-secrets.ts";

/** Dependencies of `forward`. */
export interface ForwardDeps {
  client: KubeClient;
  /** Namespace of the broker, which holds the credentials of tasks. */
  namespace: string;
  fetch: typeof fetch;
  log: Logger;
}

/** The request to the code host: the credential, the path under the repository's URL, and the body. */
export interface Route {
  access: "fetch" | "push";
  path: string;
  body?: Buffer<ArrayBuffer> | AsyncIterable<Uint8Array>;
}

/** The headers that are copied from the request of the git client to the code host, and from its answer to the client. */
const forwarded = ["accept", "content-type", "content-encoding", "git-protocol"];
const returned = ["content-type", "cache-control", "expires", "pragma"];

/** Forwards a git request with the task's credential in place of the capability, and streams the answer back. */
export async function forward(deps: ForwardDeps, git: GitRequest, route: Route): Promise<void> {
  const credential = await taskCredential(deps, git.grant.taskUID, route.access, git.signal);
  const answer = await call(deps, git, { credential, ...route });
  const refusal = refusalOf(answer);
  if (refusal) {
    await answer.body?.cancel();
    throw refusal;
  }
  git.response.status(answer.status);
  for (const name of returned) {
    const value = answer.headers.get(name);
    if (value !== null) git.response.setHeader(name, value);
  }
  if (!answer.body) return void git.response.end();
  await pipeline(Readable.fromWeb(answer.body), git.response);
}

/** Converts answers of the code host that concern the broker's URL or credential, and not the request itself. */
function refusalOf({ status }: globalThis.Response): Refusal | undefined {
  if (status >= 300 && status < 400) {
    return new Refusal(
      502,
      "RepositoryMoved",
      "the code host answered with a redirect: the repository was renamed or moved; give the command `retry` to start again in its new location",
    );
  }
  if (status !== 401) return undefined;
  return new Refusal(
    502,
    "CredentialRefused",
    "the code host no longer accepts the credential of the task; the operator creates a new one, try again in a moment",
  );
}

async function call(
  deps: ForwardDeps,
  git: GitRequest,
  { credential, path, body }: Route & { credential: TaskCredential },
): Promise<globalThis.Response> {
  // If the sandbox's side breaks, the call is aborted by us, so that it does not count as a failure of the code host.
  const broken = new AbortController();
  try {
    return await deps.fetch(`${credential.cloneURL}/${path}`, {
      method: git.request.method,
      headers: headersFor(git, credential),
      redirect: "manual",
      signal: AbortSignal.any([git.signal, broken.signal]),
      ...(body === undefined ? {} : payload(body, broken)),
    });
  } catch (error) {
    if (broken.signal.aborted) throw broken.signal.reason;
    deps.log.warn({ error, task: git.grant.task }, "the code host did not answer");
    throw new Refusal(502, "HostUnreachable", `the code host did not answer: ${describeError(error)}`);
  }
}

function headersFor(git: GitRequest, { username, password }: TaskCredential): Headers {
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  const headers = new Headers({ authorization: `Basic ${basic}`, "user-agent": "git/bellhop-broker" });
  for (const name of forwarded) {
    const value = git.request.headers[name];
    if (typeof value === "string") headers.set(name, value);
  }
  return headers;
}

async function* abortOnError(body: AsyncIterable<Uint8Array>, broken: AbortController): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    broken.abort(error);
    throw error;
  }
}

function payload(body: NonNullable<Route["body"]>, broken: AbortController): Pick<RequestInit, "body" | "duplex"> {
  if (Buffer.isBuffer(body)) return { body };
  return { body: Readable.toWeb(Readable.from(abortOnError(body, broken))), duplex: "half" };
}
