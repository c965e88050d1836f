import { describe, expect, it } from "vitest";
import type { Phase } from "../../api/agent-task-status.ts";
import { silentLogger } from "../../shared/log.ts";
import { recordChange } from "./record-change.ts";
import { aTask, type TaskOverrides } from "./testing.ts";

type Conditions = NonNullable<TaskOverrides["conditions"]>;

/** The Events of a change from the first to the second conditions. */
function recorded(before: Conditions, after: Conditions, phases: [Phase, Phase] = ["Running", "Running"]): string[] {
  const events: string[] = [];
  const record = (type: string) => (_task: unknown, reason: string, message: string) =>
    void events.push(`${type} ${reason}: ${message}`);
  const of = (conditions: Conditions, phase: Phase) =>
    aTask({ conditions, status: { phase, report: { url: "https://chat/1" } } });
  recordChange(
    { log: silentLogger, events: { normal: record("Normal"), warning: record("Warning") } },
    of(before, phases[0]),
    of(after, phases[1]),
  );
  return events;
}

const reported = (reason: string, status: "True" | "False" | "Unknown", message = "") =>
  ({ type: "Reported", reason, status, message }) as const;
const notPosted = reported("NotPosted", "Unknown", "The channel is archived: unarchive it.");

describe("the Event of a new phase", () => {
  it("names the condition that ended the task, also if its report was posted in the same write", () => {
    const ended = { type: "Succeeded", status: "False", reason: "AgentFailed", message: "It exited with 1." } as const;
    expect(recorded([], [ended, reported("Told", "True")], ["Running", "Failed"])).toEqual([
      "Warning AgentFailed: It exited with 1.",
    ]);
  });
});

describe("the Events of a report", () => {
  it("say why it is not posted, once for each reason", () => {
    expect(recorded([], [notPosted])).toEqual(["Warning NotPosted: The channel is archived: unarchive it."]);
    expect(recorded([notPosted], [{ ...notPosted, message: "another" }])).toEqual([]);
    expect(recorded([notPosted], [reported("GaveUp", "False", "Each hour.")])).toEqual(["Warning GaveUp: Each hour."]);
  });

  it("say that it is posted after all, whether the work goes on or has ended", () => {
    const posted = ["Normal ReportPosted: The report is posted now: https://chat/1"];
    expect(recorded([notPosted], [])).toEqual(posted);
    expect(recorded([reported("GaveUp", "False")], [reported("Told", "True")])).toEqual(posted);
  });

  it("say nothing if it was never refused, or is not posted yet", () => {
    expect(recorded([], [reported("Told", "True")])).toEqual([]);
    expect(recorded([reported("GaveUp", "False")], [reported("MoreToTell", "Unknown")])).toEqual([]);
    expect(recorded([notPosted], [reported("ThreadLocked", "False")])).toEqual([]);
  });
});
