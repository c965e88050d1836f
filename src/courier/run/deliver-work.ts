import type { Logger } from "../../shared/log.ts";
import { BellhopError } from "../../shared/errors.ts";
import type { Proposal } from "../../sandbox/protocol/channel.ts";
import { checkOutput } from "../../sandbox/protocol/output-policy.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import { type Imported, importWorkspace } from "../import/index.ts";
import type { Ending } from "../outcome.ts";
import type { Places } from "../places.ts";
import { publish, type PublishDeps } from "./publish.ts";
import { defined } from "../../shared/defined.ts";

/** Dependencies of `deliverWork`. */
export interface WorkDeps extends PublishDeps {
  log: Logger;
}

/** Imports the workspace of an agent that ended well, holds it against the output policy, and publishes it. */
export async function deliverWork(
  places: Places,
  spec: SandboxSpec,
  summary: string | undefined,
  deps: WorkDeps,
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
  return publish({ gitDir: places.repository, proposal }, deps);
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

/** The operator decides for itself from the proposal; this check only gives an early answer, with a message. */
async function refuse(proposal: Proposal, refusals: readonly string[], deps: WorkDeps): Promise<Ending> {
  try {
    await deps.broker.propose(proposal);
  } catch (error) {
    deps.log.warn({ error }, "the refused proposal was not stored");
  }
  return refusal(refusals);
}

function refusal(refusals: readonly string[]): Ending {
  return { reason: "OutputRefused", message: `Nothing was published: ${refusals.join("; ")}.` };
}

const maxListed = 64;

function listed<Key extends "protectedPaths" | "skipped">(
  key: Key,
  values: readonly string[],
): Partial<Record<Key, string[]>> {
  const cut = values.slice(0, maxListed).map((value) => value.slice(0, 512));
  return (cut.length === 0 ? {} : { [key]: cut }) as Partial<Record<Key, string[]>>;
}

function skippedNote({ skipped }: { skipped: readonly string[] }): string {
  return skipped.length === 0 ? "" : ` Not taken: ${skipped.slice(0, 5).join("; ")}.`;
}
