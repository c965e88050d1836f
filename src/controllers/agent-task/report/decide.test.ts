import { describe, expect, it } from "vitest";
import type { AgentTaskStatus } from "../../../api/agent-task-status.ts";
import { anIntegration, aTask, facts, noon, type TaskOverrides } from "../testing.ts";
import { decideReport, revisionOf, type ReportReading } from "./decide.ts";

type Report = NonNullable<AgentTaskStatus["report"]>;

const over = { type: "Succeeded", status: "True", reason: "Published" } as const;
const ago = (ms: number): string => new Date(noon.getTime() - ms).toISOString();
const told = (text: string, more: Report = {}): Report => ({
  target: "acme/shop#42",
  reacted: true,
  id: "7",
  intent: "task:uid-shop-abc",
  revision: revisionOf(text),
  toldAt: ago(1_000),
  ...more,
});

function decide(report: Report, given: TaskOverrides & { text?: ReportReading["text"]; reaction?: boolean } = {}) {
  const task = aTask({ ...given, status: { ...given.status, report } });
  const integration = anIntegration({ reporting: { reaction: given.reaction ?? true, updateEvery: "10s" } });
  return decideReport(facts({ task, integration }), { text: given.text ?? "the story" }, noon);
}

describe("the outbox of a report", () => {
  it("shows first of all that the bell was heard, unless the integration says not to", () => {
    expect(decide({})).toEqual({ actions: [{ do: "react" }], requeueAfterMs: 0 });
    expect(decide({}, { reaction: false }).actions).toMatchObject([{ do: "create" }]);
  });

  it("writes its intent before the message, and searches only where an intent was there already", () => {
    const first = decide({ reacted: true });
    expect(first.fields?.report).toMatchObject({ intent: "task:uid-shop-abc", target: "acme/shop#42" });
    expect(first.actions).toEqual([{ do: "create", text: "the story", search: false }]);
    const doubt = decide({ reacted: true, intent: "task:uid-shop-abc" });
    expect(doubt.actions).toEqual([{ do: "create", text: "the story", search: true }]);
  });

  it("tells the same text once", () => {
    expect(decide(told("the story"))).toEqual({ requeueAfterMs: 60_000 });
  });

  it("throttles edits", () => {
    expect(decide(told("before"))).toEqual({ requeueAfterMs: 9_000 });
    const later = decide(told("before", { toldAt: ago(10_000) }));
    expect(later.actions).toEqual([{ do: "update", id: "7", text: "the story" }]);
  });

  it("says the last word at once, and then that all is told", () => {
    expect(decide(told("before"), { conditions: [over] }).actions).toMatchObject([{ do: "update" }]);
    expect(decide(told("the story"), { conditions: [over] }).conditions).toMatchObject([
      { type: "Reported", status: "True", reason: "Told" },
    ]);
  });

  it("backs off after failures, and gives up long after the end only", () => {
    const failing = told("before", { failures: 3, toldAt: ago(1_000), lastError: "502" });
    expect(decide(failing).requeueAfterMs).toBeGreaterThan(1_000);
    expect(decide({ ...failing, failures: 99 }).conditions).toBeUndefined();
    const ended = { conditions: [over], status: { completionTime: ago(90 * 60_000 + 1_000) } };
    expect(decide({ ...failing, failures: 99 }, ended).conditions).toMatchObject([
      { type: "Reported", status: "False", reason: "GaveUp", message: "Could not post the report: 502" },
    ]);
    expect(decide({ ...failing, toldAt: ago(600_000) }).actions).toMatchObject([{ do: "update" }]);
  });

  it("does not hold failures from before the end against the last word", () => {
    const failing = told("before", { failures: 99, toldAt: ago(300_000), lastError: "502" });
    const ended = { conditions: [over], status: { completionTime: ago(1_000) } };
    expect(decide(failing, ended).actions).toMatchObject([{ do: "update" }]);
    const once = told("before", { failures: 1, toldAt: ago(300_000), lastError: "502" });
    const longAgo = { conditions: [over], status: { completionTime: ago(24 * 3_600_000) } };
    expect(decide(once, longAgo).actions).toMatchObject([{ do: "update" }]);
  });

  it("waits for an integration that cannot sign in, also when the task is over", () => {
    for (const conditions of [[], [over]]) {
      expect(decide({}, { text: { not: "SignedOut" }, conditions })).toEqual({ requeueAfterMs: 300_000 });
    }
  });

  it("has nothing to tell where the provider has no messages", () => {
    expect(decide({}, { text: { not: "NoReporter" } })).toEqual({});
    expect(decide({}, { text: { not: "NoReporter" }, conditions: [over] }).conditions).toMatchObject([
      { type: "Reported", status: "True" },
    ]);
  });

  it.each([
    { name: "a stop that was carried out", reason: "Stopped", status: "True", says: false },
    { name: "a retry that has begun", reason: "Retried", status: "True", says: false },
    { name: "an answer", reason: "Status", status: "True", says: true },
    { name: "a command that was refused", reason: "WrongCommit", status: "False", says: true },
  ] as const)("of $name says something: $says", ({ reason, status, says }) => {
    const conditions = [{ type: "Succeeded", status, reason }];
    const decision = decide({ reacted: true }, { spec: { command: "stop" }, conditions });
    expect(decision.actions !== undefined).toBe(says);
    expect(decision.conditions !== undefined).toBe(!says);
  });

  it("says nothing of a command before it was carried out", () => {
    expect(decide({ reacted: true }, { spec: { command: "stop" } })).toEqual({});
  });
});
