import type { AgentTask } from "../api/kinds.ts";
import type { Clock } from "../shared/clock.ts";
import type { Grant } from "./capability.ts";
import { requireFence } from "./fence.ts";
import type { FetchBounds } from "./fetch-bounds.ts";
import { forward, type ForwardDeps } from "./forward.ts";
import type { GitRequest } from "./git-request.ts";
import { openPush, requireSize, withholdEnd } from "./push-body.ts";
import { notPublished, requireCommand } from "./receive-pack.ts";
import { Refusal } from "./refusal.ts";
import { wholeBody } from "./whole-body.ts";

/** Dependencies of the git routes. */
export interface GitDeps extends ForwardDeps {
  clock: Clock;
  fetches: FetchBounds;
  /** Maximum size of a push, in bytes. */
  maxPushBytes: number;
}

/** Handles `GET …/info/refs?service=…`: forwards a fetch, or a push if the operator has allowed one. */
export async function infoRefs(deps: GitDeps, git: GitRequest): Promise<void> {
  const service = git.request.query["service"];
  if (service === "git-upload-pack") return forwardFetch(deps, git, "info/refs?service=git-upload-pack");
  if (service !== "git-receive-pack")
    throw new Refusal(
      400,
      "UnknownService",
      "unknown service; the broker supports git-upload-pack and git-receive-pack",
    );
  requireCourierScope(git.grant);
  const task = await requireTask(deps, git);
  if (!task.status?.publish) throw notPublished();
  await forward(deps, git, { access: "push", path: "info/refs?service=git-receive-pack" });
}

/** Handles `POST …/git-upload-pack`: forwards a fetch. */
export async function uploadPack(deps: GitDeps, git: GitRequest): Promise<void> {
  return forwardFetch(deps, git, "git-upload-pack");
}

/**
 * Handles `POST …/git-receive-pack`: forwards exactly the push in `status.publish`. The task is read live before the first byte is sent and
 * again before the last bytes, so that a task that is stopped during a long push pushes nothing.
 */
export async function receivePack(deps: GitDeps, git: GitRequest): Promise<void> {
  requireCourierScope(git.grant);
  requireSize(Number(git.request.headers["content-length"] ?? 0), deps.maxPushBytes);
  if (git.request.headers["content-encoding"] !== undefined)
    throw new Refusal(
      415,
      "MalformedPush",
      "the broker accepts only uncompressed pushes; send it without Content-Encoding",
    );
  // The stream must stay open after reading, because a push that is refused before its end still gets an answer.
  const push = await openPush(git.request.iterator({ destroyOnReturn: false }), deps.maxPushBytes);
  const requireAllowed = async (): Promise<void> => {
    const task = await requireTask(deps, git);
    // Before a large push, git sends an empty command list to check the authentication.
    if (push.commands.length > 0) requireCommand(push.commands, task.status?.publish);
    else if (!task.status?.publish) throw notPublished();
  };
  await requireAllowed();
  deps.log.info({ ...nameOf(git.grant), commands: push.commands }, "push allowed");
  const body = push.commands.length > 0 ? withholdEnd(push, requireAllowed) : probe();
  await forward(deps, git, { access: "push", path: "git-receive-pack", body });
}

/** Forwards a fetch after its whole body was received: a slow or broken request of an agent must not count as a failure of the code host. */
async function forwardFetch(deps: GitDeps, git: GitRequest, path: string): Promise<void> {
  await requireTask(deps, git);
  const ticket = deps.fetches.enter(git.grant);
  try {
    const hasBody = git.request.method === "POST";
    const body = hasBody ? { body: await wholeBody(git.request, deps.clock, (bytes) => ticket.hold(bytes)) } : {};
    await forward(deps, git, { access: "fetch", path, ...body });
  } finally {
    ticket.leave();
  }
}

/** The task, read live. Throws `Refusal` if the attempt is not the current one or the repository is not the task's. */
async function requireTask(deps: GitDeps, { grant, repositoryId, signal }: GitRequest): Promise<AgentTask> {
  const task = await requireFence(deps.client, grant, signal);
  const own = task.spec.repository?.id;
  if (own === repositoryId) return task;
  throw new Refusal(
    403,
    "WrongRepository",
    `this sandbox may access only repository ${own ?? "none"}, not ${repositoryId.slice(0, 64)}`,
  );
}

function requireCourierScope(grant: Grant): void {
  if (grant.scope === "courier") return;
  throw new Refusal(
    403,
    "CourierOnly",
    "agents cannot push; your changes in the workspace are committed and published for you",
  );
}

function nameOf({ namespace, task }: Grant): { namespace: string; task: string } {
  return { namespace, task };
}

/** The body of git's probe: an empty command list. */
async function* probe(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("0000");
}
