import { describe, expect, it } from "vitest";
import { silentLogger } from "../../shared/log.ts";
import { recordChange } from "./record-change.ts";
import { aTask, type TaskOverrides } from "./testing.ts";

type Conditions = NonNullable<TaskOverrides["conditions"]>;

/** The Events of a change from the first to the second conditions. */
function recorded(before: Conditions, after: Conditions): string[] {
  const events: string[] = [];
  const record = (type: string) => (_task: unknown, reason: string, message: string) =>
    void events.push(`${type} ${reason}: ${message}`);
  const status = { report: { url: "https://chat/1" } };
  recordChange(
    { log: silentLogger, events: { normal: record("Normal"), warning: record("Warning") } },
    aTask({ conditions: before, status }),
    aTask({ conditions: after, status }),
  );
  return events;
}

const reported = (reason: string, status: "True" | "False" | "Unknown", message = "") =>
  ({ type: "Reported", reason, status, message }) as const;
const notPosted = reported("NotPosted", "Unknown", "The channel is archived: unarchive it.");

describe("the Events of a report", () => {
  it("say why it is not posted, once for each reason", () => {
    expect(recorded([], [notPosted])).toEqual(["Warning NotPosted: The channel is archived: unarchive it."]);
    expect(recorded([notPosted], [{ ...notPosted, message: "another" }])).toEqual([]);
    expect(recorded([notPosted], [reported("GaveUp", "False", "Each hour.")])).toEqual(["Warning GaveUp: Each hour."]);
  });

  it("say that it is posted again, whether the work goes on or has ended", () => {
    const again = ["Normal ReportPosted: The report is posted again: https://chat/1"];
    expect(recorded([notPosted], [])).toEqual(again);
    expect(recorded([reported("GaveUp", "False")], [reported("Told", "True")])).toEqual(again);
  });

  it("say nothing if it was never refused, or is not posted yet", () => {
    expect(recorded([], [reported("Told", "True")])).toEqual([]);
    expect(recorded([reported("GaveUp", "False")], [reported("MoreToTell", "Unknown")])).toEqual([]);
    expect(recorded([notPosted], [reported("ThreadLocked", "False")])).toEqual([]);
  });
});
