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
      name: "asks the agent to end if the operator wants the attempt to end",
      change: { stopWanted: true },
      next: { next: "ask", reason: "Stopped" },
    },
    {
      name: "asks the agent to end after the wall clock limit",
      change: { startedMs: 39_000 },
      next: { next: "ask", reason: "WallClockExceeded" },
    },
    {
      name: "asks the agent to end at the task's deadline, even if it started late",
      change: { startedMs: 99_000, limits: { wallClockMs: 60_000, stallMs: 20_000, deadlineMs: 99_999 } },
      next: { next: "ask", reason: "WallClockExceeded" },
    },
    {
      name: "asks the agent to end after the stall limit",
      change: { activeMs: 79_000 },
      next: { next: "ask", reason: "AgentStalled" },
    },
    {
      name: "applies no limit before the agent runs",
      change: { startedMs: undefined, activeMs: 0 },
      next: { next: "wait" },
    },
    {
      name: "stops an agent that has not started yet",
      change: { startedMs: undefined, stopWanted: true },
      next: { next: "ask", reason: "Stopped" },
    },
    {
      name: "asks the agent only once",
      change: { stopWanted: true, asked: { reason: "Stopped", atMs: 99_000 } },
      next: { next: "wait" },
    },
    {
      name: "ends if every process has ended, whatever the other facts",
      change: { stopped: "ended", stopWanted: true, terminating: true, exitSeenMs: 0 },
      next: { next: "end", how: "gone" },
    },
    {
      name: "abandons an agent 10 s after it was asked to end",
      change: { asked: { reason: "Stopped", atMs: 89_999 } },
      next: { next: "end", how: "still-writing" },
    },
    {
      name: "abandons an agent 10 s after its exit code",
      change: { exitSeenMs: 89_999 },
      next: { next: "end", how: "still-writing" },
    },
    {
      name: "waits longer while the entry script makes the tree readable",
      change: { exitSeenMs: 89_999, stopped: "opening" },
      next: { next: "wait" },
    },
    {
      name: "stops waiting for a readable tree after 5 min",
      change: { nowMs: 390_000, exitSeenMs: 89_999, stopped: "opening" },
      next: { next: "end", how: "still-writing" },
    },
    { name: "ends with the pod", change: { terminating: true }, next: { next: "end", how: "terminated" } },
  ] satisfies { name: string; change: Partial<AgentFacts>; next: unknown }[])("$name", ({ change, next }) => {
    expect(decideNext(facts(change))).toEqual(next);
  });
});
