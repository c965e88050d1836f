import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { Request, Response } from "express";
import type { KubeClient } from "../kube/types.ts";
import { describeError } from "../shared/errors.ts";
import type { Logger } from "../shared/log.ts";
import type { Grant } from "./capability.ts";
import { requireFence } from "./fence.ts";
import { readCommands, requireCommand } from "./receive-pack.ts";
import { Refusal } from "./refusal.ts";
import { taskCredential, type TaskCredential } from "./task-secrets.ts";

/** What forwarding git needs. */
export interface GitDeps {
  client: KubeClient;
  /** The broker's own namespace, where task credentials are. */
  namespace: string;
  fetch: typeof fetch;
  log: Logger;
  /** Largest push, bytes. */
  maxPushBytes: number;
}

/** One git request of a task. */
export interface GitRequest {
  grant: Grant;
  repositoryId: string;
  request: Request;
  response: Response;
  signal: AbortSignal;
}

/** What git clients say that the host has to hear. */
const forwarded = ["accept", "content-type", "content-encoding", "git-protocol"];
const returned = ["content-type", "cache-control", "expires", "pragma"];

/** `GET …/info/refs?service=…` */
export async function infoRefs(deps: GitDeps, git: GitRequest): Promise<void> {
  const service = git.request.query["service"];
  if (service === "git-upload-pack") return forwardFetch(deps, git, "info/refs?service=git-upload-pack");
  if (service !== "git-receive-pack")
    throw new Refusal(400, "UnknownService", "only git-upload-pack and git-receive-pack are spoken here");
  requireCourierScope(git.grant);
  const task = await requireFence(deps.client, git.grant, git.signal);
  requireRepository(task.spec.repository?.id, git);
  if (!task.status?.publish)
    throw new Refusal(403, "NotPublished", "the operator has not allowed a push for this task");
  await forward(deps, git, { access: "push", path: "info/refs?service=git-receive-pack" });
}

/** `POST …/git-upload-pack` */
export async function uploadPack(deps: GitDeps, git: GitRequest): Promise<void> {
  return forwardFetch(deps, git, "git-upload-pack");
}

/** `POST …/git-receive-pack`: exactly the push in `status.publish`, read live, and the attempt still in force. */
export async function receivePack(deps: GitDeps, git: GitRequest): Promise<void> {
  requireCourierScope(git.grant);
  const declared = Number(git.request.headers["content-length"] ?? 0);
  if (declared > deps.maxPushBytes) throw tooLarge(deps);
  if (git.request.headers["content-encoding"] !== undefined)
    throw new Refusal(415, "MalformedPush", "pushes are taken uncompressed");
  const body = limited(git.request, deps);
  const { head, commands } = await readHead(body);
  const task = await requireFence(deps.client, git.grant, git.signal);
  requireRepository(task.spec.repository?.id, git);
  // Git probes with an empty command list before a large push, to settle authentication.
  if (commands.length > 0) requireCommand(commands, task.status?.publish);
  deps.log.info({ task: git.grant.task, namespace: git.grant.namespace, commands }, "push let through");
  await forward(deps, git, { access: "push", path: "git-receive-pack", body: restOf(head, body) });
}

async function forwardFetch(deps: GitDeps, git: GitRequest, path: string): Promise<void> {
  const task = await requireFence(deps.client, git.grant, git.signal);
  requireRepository(task.spec.repository?.id, git);
  await forward(deps, git, { access: "fetch", path, ...(path.startsWith("info/") ? {} : { body: git.request }) });
}

function requireCourierScope(grant: Grant): void {
  if (grant.scope === "courier") return;
  throw new Refusal(
    403,
    "CourierOnly",
    "agents cannot push; what you change in the workspace is committed and published for you",
  );
}

function requireRepository(id: string | undefined, git: GitRequest): void {
  if (id === git.repositoryId) return;
  throw new Refusal(
    403,
    "WrongRepository",
    `this sandbox works on repository ${id ?? "none"}, not ${git.repositoryId}`,
  );
}

/** Where a request goes: under the repository's URL, with which credential, and what it carries. */
interface Route {
  access: "fetch" | "push";
  path: string;
  body?: AsyncIterable<Uint8Array>;
}

async function forward(deps: GitDeps, git: GitRequest, route: Route): Promise<void> {
  const credential = await taskCredential(deps, git.grant.taskUID, route.access, git.signal);
  const answer = await call(deps, git, { credential, ...route });
  if (answer.status >= 300 && answer.status < 400) {
    throw new Refusal(
      502,
      "RepositoryMoved",
      "the code host answers with a redirect: the repository was renamed or moved; say `retry` to begin again there",
    );
  }
  git.response.status(answer.status === 401 ? 502 : answer.status);
  for (const name of returned) {
    const value = answer.headers.get(name);
    if (value !== null) git.response.setHeader(name, value);
  }
  if (answer.body) await pipe(answer.body, git.response);
  else git.response.end();
}

async function call(
  deps: GitDeps,
  git: GitRequest,
  { credential, path, body }: Route & { credential: TaskCredential },
): Promise<globalThis.Response> {
  const headers = new Headers({ authorization: basic(credential), "user-agent": "git/bellhop-broker" });
  for (const name of forwarded) {
    const value = git.request.headers[name];
    if (typeof value === "string") headers.set(name, value);
  }
  try {
    return await deps.fetch(`${credential.cloneURL}/${path}`, {
      method: git.request.method,
      headers,
      redirect: "manual",
      signal: git.signal,
      ...(body === undefined ? {} : streamed(body)),
    });
  } catch (error) {
    if (error instanceof Refusal) throw error;
    deps.log.warn({ error, task: git.grant.task }, "the code host did not answer");
    throw new Refusal(502, "HostUnreachable", `the code host did not answer: ${describeError(error)}`);
  }
}

function streamed(body: AsyncIterable<Uint8Array>): Pick<RequestInit, "body" | "duplex"> {
  return { body: Readable.toWeb(Readable.from(body)), duplex: "half" };
}

function basic({ username, password }: TaskCredential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

async function pipe(body: globalThis.ReadableStream<Uint8Array>, response: Response): Promise<void> {
  const stream = Readable.fromWeb(body as ReadableStream);
  await new Promise<void>((resolve, reject) => {
    stream.on("error", reject);
    response.on("close", resolve);
    stream.pipe(response);
  });
}

async function readHead(
  body: AsyncIterator<Buffer>,
): Promise<{ head: Buffer; commands: ReturnType<typeof readCommands> & object }> {
  let head = Buffer.alloc(0);
  for (;;) {
    const commands = head.length > 0 ? readCommands(head) : undefined;
    if (commands) return { head, commands };
    const next = await body.next();
    if (next.done) throw new Refusal(400, "MalformedPush", "the request ended before its list of ref updates did");
    head = Buffer.concat([head, next.value]);
  }
}

async function* restOf(head: Buffer, body: AsyncIterator<Buffer>): AsyncIterable<Uint8Array> {
  yield head;
  for (let next = await body.next(); !next.done; next = await body.next()) yield next.value;
}

async function* limited(request: Request, deps: GitDeps): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > deps.maxPushBytes) throw tooLarge(deps);
    yield chunk;
  }
}

function tooLarge(deps: GitDeps): Refusal {
  return new Refusal(413, "PushTooLarge", `a push may have at most ${deps.maxPushBytes} bytes`);
}
