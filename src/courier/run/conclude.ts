import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { Folder } from "../folder.ts";
import type { Ending } from "../outcome.ts";
import type { Places } from "../places.ts";
import { lastWords, readExit } from "./agent-files.ts";
import type { AskReason } from "./decide.ts";
import { deliverWork, type WorkDeps } from "./deliver-work.ts";
import type { AgentEnd } from "./follow-agent.ts";

/** What concluding needs. */
export interface ConcludeDeps extends WorkDeps {
  places: Places;
  spec: SandboxSpec;
  out: Folder;
  /** Aborted when the pod has asked the courier to end. */
  terminate: AbortSignal;
  /** The agent's own last `result`, read once it is gone. */
  summary(): string | undefined;
}

/** What becomes of the work, by how the agent ended: only exit 0, by itself, with every process gone, is published. */
export async function conclude(end: AgentEnd, deps: ConcludeDeps): Promise<Ending> {
  if (end.how === "still-writing") return end.stopped === "opening" ? stillOpening : stillWriting;
  if (end.asked !== undefined) return asked(end.asked, deps.spec);
  if (end.how === "terminated" || end.stopped !== "ended") return deps.terminate.aborted ? podEnded : signalled;
  const exitCode = readExit(deps.out);
  if (exitCode === 0) return deliverWork(deps.places, deps.spec, deps.summary(), deps);
  return failed(exitCode, lastWords(deps.out));
}

const stillWriting: Ending = {
  reason: "AgentStillWriting",
  message:
    "Processes of the agent were still there 10 s after its end, so what it left cannot be trusted to be whole. Nothing was published.",
};

const stillOpening: Ending = {
  reason: "WorkspaceUnreadable",
  message: "What the agent left could not be made readable within 5 min. Nothing was published.",
};

const podEnded: Ending = {
  reason: "Stopped",
  message: "The sandbox's pod was asked to end before the agent had finished. Nothing was published.",
};

/** The kubelet asks the agent's container first and us only afterwards, so who it was is not for us to know. */
const signalled: Ending = {
  reason: "Stopped",
  message:
    "The agent's container was told to end (SIGTERM) before the agent had finished, and not by the courier: " +
    "its pod was deleted or its node drained, or the agent did it itself (`kill 1`). Nothing was published.",
};

function asked(reason: AskReason, { limits }: SandboxSpec): Ending {
  const minutes = (ms: number): string => `${Math.round(ms / 6000) / 10} min`;
  const messages: Record<AskReason, string> = {
    Stopped: "The task was stopped. Nothing was published.",
    WallClockExceeded: `The agent was ended at the end of its time (limits.wallClock): ${minutes(limits.wallClockMs)} from when its sandbox was made. Nothing was published.`,
    AgentStalled: `The agent was ended after ${minutes(limits.stallMs)} without an event, output or change (limits.stall). Nothing was published.`,
  };
  return { reason, message: messages[reason] };
}

function failed(exitCode: number | undefined, words: string): Ending {
  const how =
    exitCode === undefined
      ? "left no exit code (is its disk full?)"
      : `ended with exit code ${exitCode}${meaning(exitCode)}`;
  const tail = words === "" ? "It printed nothing." : `Its last output: ${words}`;
  return {
    reason: "AgentFailed",
    message: `The agent ${how}. Nothing was published. ${tail}`,
    ...(exitCode === undefined ? {} : { exitCode }),
  };
}

function meaning(exitCode: number): string {
  if (exitCode === 127) return " (its command was not found)";
  if (exitCode === 126) return " (its command cannot be executed)";
  return exitCode === 137 ? " (killed, perhaps for its memory)" : "";
}
