import { names } from "../../api/annotations.ts";
import type { NetworkPolicy } from "../../kube/resources.ts";
import type { IndexFunction } from "../../kube/store.ts";
import type { Store } from "../../kube/types.ts";

/** Finds the policies that may select the pods of a task, so that those of thousands of other tasks are not looked at. */
export const policyIndexes: Record<"task", IndexFunction<NetworkPolicy>> = {
  task: ({ metadata, spec }) => [`${metadata.namespace}/${spec?.podSelector?.matchLabels?.[names.task] ?? anyTask}`],
};

/** No task's name. */
const anyTask = "*";

/** The policies that may select a sandbox pod of the task: those that name it, and those that name no task. */
export function policiesFor(
  policies: Pick<Store<NetworkPolicy>, "byIndex">,
  namespace: string | undefined,
  task: string,
): NetworkPolicy[] {
  return [task, anyTask].flatMap((name) => policies.byIndex("task", `${namespace}/${name}`));
}

/** A label selector as on the wire. */
interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/**
 * Network policies add up, so one that is not ours and gives our pods egress opens a way around the broker.
 * Answers the first of the given that selects the labels and has an egress rule; one that only denies is ignored.
 */
export function foreignEgress(
  policies: readonly NetworkPolicy[],
  podLabels: Record<string, string>,
): NetworkPolicy | undefined {
  return policies.find(({ spec }) => (spec?.egress?.length ?? 0) > 0 && selects(spec?.podSelector, podLabels));
}

/** Whether a selector matches labels; an empty selector matches everything. */
export function selects(selector: Selector | undefined, labels: Record<string, string>): boolean {
  const pairs = Object.entries(selector?.matchLabels ?? {});
  return (
    pairs.every(([key, value]) => labels[key] === value) &&
    (selector?.matchExpressions ?? []).every((expression) => satisfies(expression, labels))
  );
}

function satisfies(
  { key, operator, values = [] }: { key: string; operator: string; values?: string[] },
  labels: Record<string, string>,
): boolean {
  const value = labels[key];
  if (operator === "Exists") return value !== undefined;
  if (operator === "DoesNotExist") return value === undefined;
  if (operator === "NotIn") return value === undefined || !values.includes(value);
  // `In`, and whatever a later API may add: rather refuse a pod than let it out.
  return operator === "In" ? value !== undefined && values.includes(value) : true;
}
