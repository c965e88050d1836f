import { describe, expect, it } from "vitest";
import { type AgentFacts, decideNext } from "./decide.ts";

const facts = (change: Partial<AgentFacts> = {}): AgentFacts => ({
  nowMs: 100_000,
  startedMs: 50_000,
  activeMs: 99_000,
  limits: { wallClockMs: 60_000, stallMs: 20_000, deadlineMs: 110_000 },
  asked: undefined,
  exitSeenMs: undefined,
  stopped: undefined,
  stopWanted: false,
  terminating: false,
  ...change,
});

describe("decideNext", () => {
  it.each([
    { name: "waits while the agent works", change: {}, next: { next: "wait" } },
    {
      name: "asks when the operator wants to stop",
      change: { stopWanted: true },
      next: { next: "ask", reason: "Stopped" },
    },
    {
      name: "asks after the wall clock",
      change: { startedMs: 39_000 },
      next: { next: "ask", reason: "WallClockExceeded" },
    },
    {
      name: "asks at the task's deadline, however late the agent started",
      change: { startedMs: 99_000, limits: { wallClockMs: 60_000, stallMs: 20_000, deadlineMs: 99_999 } },
      next: { next: "ask", reason: "WallClockExceeded" },
    },
    { name: "asks after the stall limit", change: { activeMs: 79_000 }, next: { next: "ask", reason: "AgentStalled" } },
    {
      name: "counts nothing before the agent runs",
      change: { startedMs: undefined, activeMs: 0 },
      next: { next: "wait" },
    },
    {
      name: "stops an agent that has not started yet",
      change: { startedMs: undefined, stopWanted: true },
      next: { next: "ask", reason: "Stopped" },
    },
    {
      name: "asks once",
      change: { stopWanted: true, asked: { reason: "Stopped", atMs: 99_000 } },
      next: { next: "wait" },
    },
    {
      name: "ends when every process is gone, whatever else is so",
      change: { stopped: "ended", stopWanted: true, terminating: true, exitSeenMs: 0 },
      next: { next: "end", how: "gone" },
    },
    {
      name: "gives an agent up 10 s after asking",
      change: { asked: { reason: "Stopped", atMs: 89_999 } },
      next: { next: "end", how: "still-writing" },
    },
    {
      name: "gives an agent up 10 s after its exit code",
      change: { exitSeenMs: 89_999 },
      next: { next: "end", how: "still-writing" },
    },
    {
      name: "waits longer while the tree is made readable",
      change: { exitSeenMs: 89_999, stopped: "opening" },
      next: { next: "wait" },
    },
    {
      name: "does not wait for ever for a readable tree",
      change: { nowMs: 390_000, exitSeenMs: 89_999, stopped: "opening" },
      next: { next: "end", how: "still-writing" },
    },
    { name: "ends with the pod", change: { terminating: true }, next: { next: "end", how: "terminated" } },
  ] satisfies { name: string; change: Partial<AgentFacts>; next: unknown }[])("$name", ({ change, next }) => {
    expect(decideNext(facts(change))).toEqual(next);
  });
});
