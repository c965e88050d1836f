import type { OutcomeReason } from "../../sandbox/protocol/outcome.ts";

/** The reasons for which the courier asks an agent to end. */
export const askReasons = ["Stopped", "WallClockExceeded", "AgentStalled"] as const satisfies OutcomeReason[];
export type AskReason = (typeof askReasons)[number];

/** Facts about the agent at one moment. Times in milliseconds. */
export interface AgentFacts {
  nowMs: number;
  /** When the courier first saw that the agent runs; undefined before. */
  startedMs: number | undefined;
  /** Time of its last event, output or change in the workspace. */
  activeMs: number;
  limits: { wallClockMs: number; stallMs: number; deadlineMs: number };
  /** When the courier asked the agent to end, and the reason. */
  asked: { reason: AskReason; atMs: number } | undefined;
  /** When the courier first saw the exit code. */
  exitSeenMs: number | undefined;
  /** The state that the entry script reports after every process has ended: `opening` while it makes the tree readable, then how the agent ended. */
  stopped: string | undefined;
  /** The operator wants this attempt to end. */
  stopWanted: boolean;
  /** The courier itself was asked to end. */
  terminating: boolean;
}

/** The next action. */
export type Next =
  | { next: "wait" }
  | { next: "ask"; reason: AskReason }
  | { next: "end"; how: "gone" | "still-writing" | "terminated" };

/** Time for the entry script to end every process, from the courier's request or from the exit code. */
const endPatienceMs = 10_000;
/** Total time for the entry script if it also makes the tree readable, which may have a million files. */
const openPatienceMs = 300_000;

/** Decides the courier's next action from the facts. Pure. */
export function decideNext(facts: AgentFacts): Next {
  if (facts.stopped !== undefined && facts.stopped !== "opening") return { next: "end", how: "gone" };
  if (isOverdue(facts)) return { next: "end", how: "still-writing" };
  if (facts.terminating) return { next: "end", how: "terminated" };
  const reason = facts.asked === undefined ? whyAsk(facts) : undefined;
  return reason === undefined ? { next: "wait" } : { next: "ask", reason };
}

function isOverdue({ asked, exitSeenMs, stopped, nowMs }: AgentFacts): boolean {
  const sinceMs = asked?.atMs ?? exitSeenMs;
  return sinceMs !== undefined && nowMs - sinceMs > (stopped === "opening" ? openPatienceMs : endPatienceMs);
}

function whyAsk(facts: AgentFacts): AskReason | undefined {
  if (facts.stopWanted) return "Stopped";
  // The time to pull the agent's image does not count; the operator has its own limit for it.
  if (facts.startedMs === undefined) return undefined;
  const { wallClockMs, stallMs, deadlineMs } = facts.limits;
  if (facts.nowMs > Math.min(deadlineMs, facts.startedMs + wallClockMs)) return "WallClockExceeded";
  return facts.nowMs - facts.activeMs > stallMs ? "AgentStalled" : undefined;
}
