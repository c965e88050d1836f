import { isOver, stopOf } from "./state.ts";
import type { Step } from "./steps.ts";

/** Ends a task that somebody stopped. The end is the fence: the broker refuses pushes of tasks that are over; clean-up removes the pod. */
export const cancel: Step<undefined, never> = {
  name: "cancel",
  concerns: ({ task }) => stopOf(task) !== undefined && !isOver(task),
  gather: async () => undefined,
  decide({ task }) {
    const stop = stopOf(task);
    const why = stop?.reason ? `: ${stop.reason}` : "";
    const message = `Stopped by ${stop?.by ?? "somebody"}${why}.`;
    return {
      conditions: [{ type: "Succeeded", status: "False", reason: "Cancelled", message }],
      fields: { publish: undefined },
    };
  },
  apply: async () => undefined,
};
