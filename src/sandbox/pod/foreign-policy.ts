import { names } from "../../api/annotations.ts";
import type { NetworkPolicy } from "../../kube/resources.ts";
import type { IndexFunction } from "../../kube/store.ts";
import type { Store } from "../../kube/types.ts";

/** Finds the policies that may select the pods of one task without a look at the policies of thousands of other tasks. */
export const policyIndexes: Record<"task", IndexFunction<NetworkPolicy>> = {
  task: ({ metadata, spec }) => [`${metadata.namespace}/${spec?.podSelector?.matchLabels?.[names.task] ?? anyTask}`],
};

/** The index value of policies whose selector names no task. It is not a valid task name. */
const anyTask = "*";

/** The policies that may select a sandbox pod of the task: those whose selector names the task, and those whose selector names no task. */
export function policiesFor(
  policies: Pick<Store<NetworkPolicy>, "byIndex">,
  namespace: string | undefined,
  task: string,
): NetworkPolicy[] {
  return [task, anyTask].flatMap((name) => policies.byIndex("task", `${namespace}/${name}`));
}

/** A label selector as the API server sends it. */
interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/**
 * Returns the first policy that selects the labels and has an egress rule. Policies that only deny are ignored. Network policies add up, so
 * a policy of somebody else that allows egress from our pods opens a way around the broker.
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
  // `In`, or an operator of a later API version, which counts as a match: to refuse a pod is safer than to give it network access.
  return operator === "In" ? value !== undefined && values.includes(value) : true;
}
