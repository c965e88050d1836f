import type { ThreadTarget, ThreadWrite } from "./connection.ts";
import type { PacedCall, Urgency } from "./pace.ts";
import type { Report } from "./report.ts";

/** The call that a write to a thread makes, for the provider's pace. A thread's target has one write at a time, so it is the ticket. */
export function threadCall(target: ThreadTarget, write: ThreadWrite): PacedCall & { ticket: string } {
  return { urgency: urgencyOf(write), ticket: JSON.stringify([target.source.cause, target.conversation]) };
}

function urgencyOf(write: ThreadWrite): Urgency {
  if (write.do === "acknowledge") return "Acknowledgement";
  return write.do !== "update" || isAwaited(write.report) ? "Answer" : "Progress";
}

/** Whether somebody waits for the report: it is final, or a person has to answer it. */
function isAwaited({ over, question, actions }: Report): boolean {
  return over || question !== undefined || actions.includes("approve");
}
