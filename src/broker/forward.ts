import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Request, Response } from "express";
import { z } from "zod";
import type { AgentTask } from "../api/kinds.ts";
import { secrets } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import { describeError } from "../shared/errors.ts";
import type { Logger } from "../shared/log.ts";
import { secretRegistry } from "../shared/redact.ts";
import type { Grant } from "./capability.ts";
import { requireFence } from "./fence.ts";
import { Refusal } from "./refusal.ts";

/** One git request from the sandbox of a task. */
export interface GitRequest {
  grant: Grant;
  repositoryId: string;
  request: Request;
  response: Response;
  /** Aborts when the client closes the connection. */
  signal: AbortSignal;
}

/** Dependencies of `forward`. */
export interface ForwardDeps {
  client: KubeClient;
  /** Namespace of the broker, which holds the credentials of tasks. */
  namespace: string;
  fetch: typeof fetch;
  log: Logger;
}

/** The request to the code host: the credential, the path under the repository's URL, and the body. */
interface Route {
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

/** The task, read live. Throws `Refusal` if the attempt is not the current one or the repository is not the task's. */
export async function requireTask(deps: ForwardDeps, { grant, repositoryId, signal }: GitRequest): Promise<AgentTask> {
  const task = await requireFence(deps.client, grant, signal);
  const own = (task.spec.repository ?? task.status?.repository)?.id;
  if (own === repositoryId) return task;
  throw new Refusal(
    403,
    "WrongRepository",
    `this sandbox may access only repository ${own ?? "none"}, not ${repositoryId.slice(0, 64)}`,
  );
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

/** A git credential, as the operator stores it in the Secret `task-<uid>` in the broker's namespace. */
const credential = z.object({ username: z.string(), password: z.string(), expiresAt: z.string(), cloneURL: z.url() });
type TaskCredential = z.infer<typeof credential>;

/** Reads the credential of a task: `fetch` exists while the task runs, `push` only after the operator has allowed the push. Never cached. */
export async function taskCredential(
  deps: { client: KubeClient; namespace: string },
  taskUID: string,
  access: "fetch" | "push",
  signal: AbortSignal,
): Promise<TaskCredential> {
  const secret = await deps.client.find(secrets, { namespace: deps.namespace, name: `task-${taskUID}` }, signal);
  const data = secret?.data?.[`${access}.json`];
  if (data === undefined) {
    throw new Refusal(
      503,
      "NoCredential",
      `the operator has not stored a ${access} credential for this task yet; try again in a moment`,
    );
  }
  const found = credential.parse(JSON.parse(Buffer.from(data, "base64").toString()));
  secretRegistry.add(found.password);
  return found;
}
