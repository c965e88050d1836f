import { cutBytes } from "../shared/utf8.ts";
import type { Condition } from "./types.ts";

/** Maximum length of a message, in bytes of UTF-8. The API server rejects the whole status if one message is longer than the CRD allows. */
const maxMessageBytes = 4096;

/** A condition without its time, which `setCondition` maintains. */
export type ConditionUpdate = Omit<Condition, "lastTransitionTime">;

/** Returns a new array with one condition set. Keeps the order, keeps `lastTransitionTime` if the status is the same, and truncates a long message. */
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

/** The condition of that type; undefined if it was never set. */
export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Whether both have the same conditions, in any order; `lastTransitionTime` is compared too. */
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

/** `metav1.Time` has whole seconds; with milliseconds, the written condition would differ from the stored one. */
function toSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, "Z");
}
