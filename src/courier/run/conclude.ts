import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { Folder } from "../folder.ts";
import type { Ending } from "../outcome.ts";
import type { Places } from "../settings.ts";
import { outputTail, readExit } from "./agent-files.ts";
import type { AskReason } from "./decide.ts";
import type { AgentEnd } from "./follow-agent.ts";
import { publishWork, type PublishDeps } from "./publish.ts";
import { defined } from "../../shared/defined.ts";

/** Dependencies of `conclude`. */
export interface ConcludeDeps extends PublishDeps {
  places: Places;
  spec: SandboxSpec;
  out: Folder;
  /** Aborted when the pod has asked the courier to end. */
  terminate: AbortSignal;
  /** The summary of the agent's last `result` event, read after its end. */
  summary(): string | undefined;
}

/** Publishes the work only if the agent exited with 0 by itself and all its processes have ended; else returns why not. */
export async function conclude(end: AgentEnd, deps: ConcludeDeps): Promise<Ending> {
  if (end.how === "still-writing") return end.stopped === "opening" ? stillOpening : stillWriting;
  if (end.asked !== undefined) return asked(end.asked, deps.spec);
  if (end.how === "terminated" || end.stopped !== "ended") return deps.terminate.aborted ? podEnded : signalled;
  const exitCode = readExit(deps.out);
  if (exitCode === 0) return publishWork(deps.places, deps.spec, deps.summary(), deps);
  return failed(exitCode, outputTail(deps.out));
}

const stillWriting: Ending = {
  reason: "AgentStillWriting",
  message:
    "Processes of the agent were still running 10 s after its end, so its work may be incomplete. Nothing was published.",
};

const stillOpening: Ending = {
  reason: "WorkspaceUnreadable",
  message: "Could not make the agent's files readable within 5 min. Nothing was published.",
};

const podEnded: Ending = {
  reason: "Stopped",
  message: "The sandbox pod was terminated before the agent had finished. Nothing was published.",
};

/** The kubelet signals the agent's container before the courier, so the courier cannot know who sent the signal. */
const signalled: Ending = {
  reason: "Stopped",
  message:
    "The agent's container got SIGTERM before the agent had finished, and not from the courier: " +
    "its pod was deleted or its node drained, or the agent did it itself (`kill 1`). Nothing was published.",
};

function asked(reason: AskReason, { limits }: SandboxSpec): Ending {
  const minutes = (ms: number): string => `${Math.round(ms / 6000) / 10} min`;
  const messages: Record<AskReason, string> = {
    Stopped: "The task was stopped. Nothing was published.",
    WallClockExceeded: `The agent was stopped because it reached limits.wallClock: ${minutes(limits.wallClockMs)} after its sandbox was created. Nothing was published.`,
    AgentStalled: `The agent was stopped after ${minutes(limits.stallMs)} without an event, output or change (limits.stall). Nothing was published.`,
  };
  return { reason, message: messages[reason] };
}

function failed(exitCode: number | undefined, output: string): Ending {
  const how =
    exitCode === undefined
      ? "ended without an exit code (its disk may be full)"
      : `ended with exit code ${exitCode}${meaning(exitCode)}`;
  const tail = output === "" ? "It printed nothing." : `Its last output: ${output}`;
  return {
    reason: "AgentFailed",
    message: `The agent ${how}. Nothing was published. ${tail}`,
    ...defined({ exitCode }),
  };
}

function meaning(exitCode: number): string {
  if (exitCode === 127) return " (its command was not found)";
  if (exitCode === 126) return " (its command cannot be executed)";
  return exitCode === 137 ? " (killed, perhaps because it exceeded its memory limit)" : "";
}
