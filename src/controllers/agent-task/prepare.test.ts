import { describe, expect, it } from "vitest";
import { contextUntil } from "./prepare.ts";
import { aTask, type TaskOverrides } from "./testing.ts";

const until = (source: TaskOverrides["source"]): string =>
  contextUntil(aTask({ createdAt: "2026-03-01T12:00:05Z", ...(source ? { source } : {}) })).toISOString();

describe("the context of a task", () => {
  it.each([
    {
      name: "ends at the request, if the delivery came hours later",
      source: { occurredAt: "2026-03-01T06:00:00Z", receivedAt: "2026-03-01T12:00:00.500Z" },
      want: "2026-03-01T06:00:02.000Z",
    },
    {
      name: "ends with the delivery, if it came at once",
      source: { occurredAt: "2026-03-01T12:00:00Z", receivedAt: "2026-03-01T12:00:00.900Z" },
      want: "2026-03-01T12:00:00.900Z",
    },
    {
      name: "contains the object that triggered the task, even if the gateway's clock is behind",
      source: { occurredAt: "2026-03-01T12:00:00Z", receivedAt: "2026-03-01T11:59:00Z" },
      want: "2026-03-01T12:00:00.000Z",
    },
    {
      name: "ends with the delivery, if the event has no time",
      source: { receivedAt: "2026-03-01T12:00:00.900Z" },
      want: "2026-03-01T12:00:00.900Z",
    },
    {
      name: "ends at the creation of a task from kubectl, whatever times its author wrote",
      source: { provider: "kubernetes", occurredAt: "2036-01-01T00:00:00Z", receivedAt: "2036-01-01T00:00:00Z" },
      want: "2026-03-01T12:00:05.000Z",
    },
  ])("$name", ({ source, want }) => {
    expect(until(source)).toBe(want);
  });
});
