import type { Condition } from "../../kube/types.ts";
import { conditionsEqual, setCondition } from "../../kube/conditions.ts";
import type { Integration } from "../../integrations/types.ts";
import type { TaskCache } from "../agent-task/task-index.ts";
import type { Verdict } from "./conditions.ts";

/** Pure: `status.triggers`, with the time each trigger was first seen; removed triggers are pruned. */
export function triggersSince(integration: Integration, now: Date): { name: string; since: string }[] {
  const known = new Map((integration.status?.triggers ?? []).map(({ name, since }) => [name, since]));
  return integration.spec.triggers.map(({ name }) => ({ name, since: known.get(name) ?? now.toISOString() }));
}

/**
 * Pure: when a delivery last created a task of this integration, from the tasks that still exist; never moves back. It is updated only with
 * the rest of the status, so that a busy integration is not written for each task.
 */
export function lastTaskTime(
  { kind, metadata, status }: Integration,
  tasks: Pick<TaskCache, "ofIntegration">,
): string | undefined {
  let newest = status?.lastTaskTime ?? "";
  const { namespace, name } = metadata;
  for (const task of tasks.ofIntegration({ kind: kind ?? "", namespace, name })) {
    const created = task.metadata.creationTimestamp ?? "";
    if (task.spec.source.provider !== "kubernetes" && created > newest) newest = created;
  }
  return newest === "" ? undefined : newest;
}

/** Pure: the conditions of the integration, updated with the verdicts. */
export function withVerdicts(integration: Integration, verdicts: readonly Verdict[], now: Date): Condition[] {
  const observedGeneration = integration.metadata.generation ?? 0;
  const before: Condition[] = (integration.status?.conditions ?? []) as Condition[];
  const after = verdicts.reduce((all, verdict) => setCondition(all, { ...verdict, observedGeneration }, now), before);
  return conditionsEqual(before, after) ? before : after;
}

/** Verdicts with a new status or reason; each is recorded as an Event. */
export function changed(integration: Integration, verdicts: readonly Verdict[]): Verdict[] {
  const before = (integration.status?.conditions ?? []) as Condition[];
  return verdicts.filter((verdict) => {
    const was = before.find(({ type }) => type === verdict.type);
    return was?.status !== verdict.status || was.reason !== verdict.reason;
  });
}
