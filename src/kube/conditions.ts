import { cutBytes } from "../shared/utf8.ts";
import type { Condition } from "./types.ts";

/** The longest message, in bytes of UTF-8. The API server refuses a whole status in which one is longer than its CRD allows. */
const maxMessageBytes = 4096;

/** A condition as a decider gives it: the time is ours to keep. */
export type ConditionUpdate = Omit<Condition, "lastTransitionTime">;

/** The conditions with one set, in a new array. `lastTransitionTime` stays while the status does; order stays too; a long message is cut. */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  update: ConditionUpdate,
  now: Date,
): Condition[] {
  const before = conditions ?? [];
  const old = findCondition(before, update.type);
  const kept = old?.status === update.status ? old.lastTransitionTime : undefined;
  const next: Condition = {
    ...update,
    message: cutBytes(update.message, maxMessageBytes, "…"),
    lastTransitionTime: kept ?? toSeconds(now),
  };
  return old ? before.map((condition) => (condition.type === update.type ? next : condition)) : [...before, next];
}

/** The condition of that type, if it was ever set. */
export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Whether both say the same, in whatever order; `lastTransitionTime` counts. */
export function conditionsEqual(a: readonly Condition[] | undefined, b: readonly Condition[] | undefined): boolean {
  const [left, right] = [a ?? [], b ?? []];
  return (
    left.length === right.length &&
    left.every((condition) => sameCondition(condition, findCondition(right, condition.type)))
  );
}

function sameCondition(a: Condition, b: Condition | undefined): boolean {
  return (
    a.status === b?.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.lastTransitionTime === b.lastTransitionTime &&
    a.observedGeneration === b.observedGeneration
  );
}

/** `metav1.Time` has whole seconds; with milliseconds, what we wrote would not equal what we read. */
function toSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, "Z");
}
