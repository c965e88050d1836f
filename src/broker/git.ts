import type { AgentTask } from "../api/kinds.ts";
import type { Clock } from "../shared/clock.ts";
import type { Grant } from "./capability.ts";
import { requireFence } from "./fence.ts";
import type { FetchBounds } from "./fetch-bounds.ts";
import { forward, type ForwardDeps } from "./forward.ts";
import type { GitRequest } from "./git-request.ts";
import { heldBack, openPush, requireSize } from "./push-body.ts";
import { notPublished, requireCommand } from "./receive-pack.ts";
import { Refusal } from "./refusal.ts";
import { wholeBody } from "./whole-body.ts";

/** What the git routes need. */
export interface GitDeps extends ForwardDeps {
  clock: Clock;
  fetches: FetchBounds;
  /** Largest push, bytes. */
  maxPushBytes: number;
}

/** `GET …/info/refs?service=…` */
export async function infoRefs(deps: GitDeps, git: GitRequest): Promise<void> {
  const service = git.request.query["service"];
  if (service === "git-upload-pack") return forwardFetch(deps, git, "info/refs?service=git-upload-pack");
  if (service !== "git-receive-pack")
    throw new Refusal(400, "UnknownService", "only git-upload-pack and git-receive-pack are spoken here");
  requireCourierScope(git.grant);
  const task = await requireTask(deps, git);
  if (!task.status?.publish) throw notPublished();
  await forward(deps, git, { access: "push", path: "info/refs?service=git-receive-pack" });
}

/** `POST …/git-upload-pack` */
export async function uploadPack(deps: GitDeps, git: GitRequest): Promise<void> {
  return forwardFetch(deps, git, "git-upload-pack");
}

/**
 * `POST …/git-receive-pack`: exactly the push in `status.publish`, read live before the first byte goes out and again before the last:
 * a task that was stopped during a long push has pushed nothing.
 */
export async function receivePack(deps: GitDeps, git: GitRequest): Promise<void> {
  requireCourierScope(git.grant);
  requireSize(Number(git.request.headers["content-length"] ?? 0), deps.maxPushBytes);
  if (git.request.headers["content-encoding"] !== undefined)
    throw new Refusal(415, "MalformedPush", "pushes are taken uncompressed");
  // A push that is refused half-way is answered: its stream must outlive the reading.
  const push = await openPush(git.request.iterator({ destroyOnReturn: false }), deps.maxPushBytes);
  const allow = async (): Promise<void> => {
    const task = await requireTask(deps, git);
    // Git probes with an empty command list before a large push, to settle authentication.
    if (push.commands.length > 0) requireCommand(push.commands, task.status?.publish);
    else if (!task.status?.publish) throw notPublished();
  };
  await allow();
  deps.log.info({ ...nameOf(git.grant), commands: push.commands }, "push let through");
  const body = push.commands.length > 0 ? heldBack(push, allow) : probe();
  await forward(deps, git, { access: "push", path: "git-receive-pack", body });
}

/** The host hears of an agent's request only once it is whole: what an agent does with it must not look like a failure of the host. */
async function forwardFetch(deps: GitDeps, git: GitRequest, path: string): Promise<void> {
  await requireTask(deps, git);
  const ticket = deps.fetches.enter(git.grant);
  try {
    const asks = git.request.method === "POST";
    const body = asks ? { body: await wholeBody(git.request, deps.clock, (bytes) => ticket.hold(bytes)) } : {};
    await forward(deps, git, { access: "fetch", path, ...body });
  } finally {
    ticket.leave();
  }
}

/** The task, read live: the attempt in force, and the repository its own. */
async function requireTask(deps: GitDeps, { grant, repositoryId, signal }: GitRequest): Promise<AgentTask> {
  const task = await requireFence(deps.client, grant, signal);
  const own = task.spec.repository?.id;
  if (own === repositoryId) return task;
  throw new Refusal(
    403,
    "WrongRepository",
    `this sandbox works on repository ${own ?? "none"}, not ${repositoryId.slice(0, 64)}`,
  );
}

function requireCourierScope(grant: Grant): void {
  if (grant.scope === "courier") return;
  throw new Refusal(
    403,
    "CourierOnly",
    "agents cannot push; what you change in the workspace is committed and published for you",
  );
}

function nameOf({ namespace, task }: Grant): { namespace: string; task: string } {
  return { namespace, task };
}

/** An empty command list and nothing behind it. */
async function* probe(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("0000");
}
