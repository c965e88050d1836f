import { describe, expect, it } from "vitest";
import { contextUntil } from "./prepare.ts";
import { aTask, type TaskOverrides } from "./testing.ts";

const until = (source: TaskOverrides["source"]): string =>
  contextUntil(aTask({ createdAt: "2026-03-01T12:00:05Z", ...(source ? { source } : {}) })).toISOString();

describe("the context of a task", () => {
  it.each([
    {
      name: "ends when the task was asked for, where the delivery came hours later",
      source: { occurredAt: "2026-03-01T06:00:00Z", receivedAt: "2026-03-01T12:00:00.500Z" },
      want: "2026-03-01T06:00:02.000Z",
    },
    {
      name: "ends with the delivery, where that came at once",
      source: { occurredAt: "2026-03-01T12:00:00Z", receivedAt: "2026-03-01T12:00:00.900Z" },
      want: "2026-03-01T12:00:00.900Z",
    },
    {
      name: "has what rang in it, also where the gateway's clock is behind",
      source: { occurredAt: "2026-03-01T12:00:00Z", receivedAt: "2026-03-01T11:59:00Z" },
      want: "2026-03-01T12:00:00.000Z",
    },
    {
      name: "ends with the delivery, where the event has no time",
      source: { receivedAt: "2026-03-01T12:00:00.900Z" },
      want: "2026-03-01T12:00:00.900Z",
    },
    {
      name: "ends when the task was created, where somebody made it with kubectl, whatever they wrote into it",
      source: { provider: "kubernetes", occurredAt: "2036-01-01T00:00:00Z", receivedAt: "2036-01-01T00:00:00Z" },
      want: "2026-03-01T12:00:05.000Z",
    },
  ])("$name", ({ source, want }) => {
    expect(until(source)).toBe(want);
  });
});
