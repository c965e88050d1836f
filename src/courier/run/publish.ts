import { type Clock, sleep } from "../../shared/clock.ts";
import { defined } from "../../shared/defined.ts";
import { BellhopError, describeError, errorCode } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { Proposal, TaskState } from "../../sandbox/protocol/channel.ts";
import { checkOutput } from "../../sandbox/protocol/output-policy.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import { type Broker, isRetryable, persistently } from "../broker.ts";
import { explainRejection } from "../git/rejection.ts";
import { git, GitError, type Remote } from "../git/run.ts";
import { type Imported, importWorkspace } from "../import/index.ts";
import type { Ending } from "../outcome.ts";
import type { Places } from "../settings.ts";

const askEveryMs = 1000;
/** Maximum number of paths that a proposal lists of each kind. */
const maxListed = 64;

/** Dependencies of `publishWork`. */
export interface PublishDeps {
  clock: Clock;
  log: Logger;
  broker: Pick<Broker, "propose" | "task" | "withRemote">;
  /** Remaining time in milliseconds; shorter once the pod is asked to end. */
  remainingMs(): number;
}

/** Imports the workspace of an agent that exited with 0, checks it against the output policy, and publishes it. */
export async function publishWork(
  places: Places,
  spec: SandboxSpec,
  summary: string | undefined,
  deps: PublishDeps,
): Promise<Ending> {
  const imported = await importOrEnding(places, { ...spec, summary });
  if ("reason" in imported) return imported;
  deps.log.info({ ...imported, paths: undefined }, "workspace imported");
  if (imported.result === "NoChanges")
    return { reason: "NoChanges", message: `The agent changed nothing.${skippedNote(imported)}` };
  const patchBytes = imported.result === "Committed" ? imported.patchBytes : imported.newBytes;
  const findings = checkOutput({ paths: imported.paths, patchBytes }, spec.output);
  if (imported.result === "TooMuch") return refusal([imported.why, ...findings.refusals]);
  const proposal: Proposal = {
    attempt: spec.attempt,
    ref: spec.publish.ref,
    newId: imported.commit,
    files: imported.paths.length,
    patchKiB: Math.ceil(patchBytes / 1024),
    ...defined({ oldId: spec.publish.oldId }),
    ...listed("protectedPaths", findings.protectedPaths),
    ...listed("skipped", imported.skipped),
    ...defined({ summary }),
  };
  if (findings.refusals.length > 0) return refuse(proposal, findings.refusals, deps);
  return proposeAndPush({ gitDir: places.repository, proposal }, deps);
}

async function importOrEnding(
  places: Places,
  request: SandboxSpec & { summary: string | undefined },
): Promise<Imported | Ending> {
  try {
    return await importWorkspace(places, request);
  } catch (error) {
    if (!(error instanceof BellhopError) || error.code !== "WorkspaceUnreadable") throw error;
    return { reason: "WorkspaceUnreadable", message: error.message };
  }
}

/** Stores the proposal although the check has refused it: the operator makes its own decision from it. This check only gives an early answer, with a message. */
async function refuse(proposal: Proposal, refusals: readonly string[], deps: PublishDeps): Promise<Ending> {
  try {
    await deps.broker.propose(proposal);
  } catch (error) {
    deps.log.warn({ error }, "could not store the refused proposal");
  }
  return refusal(refusals);
}

function refusal(refusals: readonly string[]): Ending {
  return { reason: "OutputRefused", message: `Nothing was published: ${refusals.join("; ")}.` };
}

function listed<Key extends "protectedPaths" | "skipped">(
  key: Key,
  values: readonly string[],
): Partial<Record<Key, string[]>> {
  const cut = values.slice(0, maxListed).map((value) => value.slice(0, 512));
  return (cut.length === 0 ? {} : { [key]: cut }) as Partial<Record<Key, string[]>>;
}

function skippedNote({ skipped }: { skipped: readonly string[] }): string {
  return skipped.length === 0 ? "" : ` Not included: ${skipped.slice(0, 5).join("; ")}.`;
}

/** A proposal, with the repository that git pushes from. */
interface Publication {
  gitDir: string;
  proposal: Proposal;
}

/** Proposes a push, waits for the operator's permission, pushes exactly the allowed change, and returns the result. Idempotent. */
async function proposeAndPush(publication: Publication, deps: PublishDeps): Promise<Ending> {
  try {
    await persistently(() => deps.broker.propose(publication.proposal), {
      clock: deps.clock,
      forMs: deps.remainingMs(),
    });
    const answer = await awaitPermission(publication.proposal, deps);
    if (answer !== "allowed") return answer;
    return await push(publication, deps);
  } catch (error) {
    return ending(error);
  }
}

async function awaitPermission(wanted: Proposal, deps: PublishDeps): Promise<"allowed" | Ending> {
  let last = "the operator has not answered";
  while (deps.remainingMs() > 0) {
    try {
      const answer = answered(await deps.broker.task(), wanted);
      if (answer !== undefined) return answer;
    } catch (error) {
      if (!isRetryable(error)) throw error;
      last = describeError(error);
    }
    await sleep(deps.clock, askEveryMs);
  }
  return { reason: "PublishUnreachable", message: `Timed out waiting for permission to publish: ${last}.` };
}

function answered(state: TaskState, wanted: Proposal): "allowed" | Ending | undefined {
  if (state.refused) return { reason: refusalReason(state.refused.reason), message: state.refused.message };
  if (state.stop) return { reason: "Stopped", message: "The task was stopped before its work was published." };
  const { publish: allowed } = state;
  return allowed?.ref === wanted.ref && allowed.newId === wanted.newId ? "allowed" : undefined;
}

function refusalReason(reason: string): "OutputRefused" | "PublishRefused" {
  return reason === "OutputRefused" ? "OutputRefused" : "PublishRefused";
}

async function push(publication: Publication, deps: PublishDeps): Promise<Ending> {
  const { ref, oldId, newId } = publication.proposal;
  const once = (remote: Remote): Promise<Ending> => pushOnce(publication, remote);
  const done = await persistently(() => deps.broker.withRemote(once), { clock: deps.clock, forMs: deps.remainingMs() });
  deps.log.info({ ref, oldId, newId, reason: done.reason }, "pushed");
  return done;
}

async function pushOnce({ gitDir, proposal }: Publication, remote: Remote): Promise<Ending> {
  const { ref, oldId, newId } = proposal;
  const published: Ending = {
    reason: "Published",
    message: `Pushed ${newId} to ${ref}.`,
    branch: branchOf(ref),
    commit: newId,
  };
  try {
    // With the lease, git requests exactly this change: from the old id, or the creation of the branch.
    const args = ["push", "--quiet", "--no-verify", "--no-follow-tags", `--force-with-lease=${ref}:${oldId ?? ""}`];
    await git([...args, "--end-of-options", remote.url, `${newId}:${ref}`], { gitDir, remote });
    return published;
  } catch (error) {
    if (isRetryable(error)) throw error;
    // An earlier attempt, or an earlier run of this container, may have succeeded.
    if (await isThere(ref, newId, { gitDir, remote })) return published;
    const why = error instanceof GitError ? error.stderr : describeError(error);
    return { reason: "PublishRefused", message: explainRejection(branchOf(ref), why) };
  }
}

async function isThere(ref: string, id: string, options: { gitDir: string; remote: Remote }): Promise<boolean> {
  const out = await git(["ls-remote", "--end-of-options", options.remote.url, ref], options);
  return out.toString("utf8").split("\n").includes(`${id}\t${ref}`);
}

function branchOf(ref: string): string {
  return ref.replace(/^refs\/heads\//, "").slice(0, 255);
}

function ending(error: unknown): Ending {
  const message = describeError(error);
  if (errorCode(error) === "Fenced")
    return { reason: "Stopped", message: `This attempt is no longer the current one: ${message}.` };
  if (!(error instanceof BellhopError)) throw error;
  return {
    reason: error.retryable ? "PublishUnreachable" : "PublishRefused",
    message: `Could not publish: ${message}.`,
  };
}
