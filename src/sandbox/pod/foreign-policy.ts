import type { NetworkPolicy } from "../../kube/resources.ts";

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
