import type { Condition } from "../../kube/types.ts";
import { conditionsEqual, setCondition } from "../../kube/conditions.ts";
import type { Integration } from "../../integrations/types.ts";
import type { TaskCache } from "../agent-task/task-index.ts";
import type { Verdict } from "./conditions.ts";

/** Pure: `status.triggers` with the moment each trigger was first seen; triggers that are gone lose theirs. */
export function triggersSince(integration: Integration, now: Date): { name: string; since: string }[] {
  const known = new Map((integration.status?.triggers ?? []).map(({ name, since }) => [name, since]));
  return integration.spec.triggers.map(({ name }) => ({ name, since: known.get(name) ?? now.toISOString() }));
}

/**
 * Pure: when a delivery last made a task of this integration, as far as tasks are still there; never before what was known. It is looked
 * at with the rest, so that a busy integration is not written with each task.
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

/** Pure: conditions after the verdicts. */
export function withVerdicts(integration: Integration, verdicts: readonly Verdict[], now: Date): Condition[] {
  const observedGeneration = integration.metadata.generation ?? 0;
  const before: Condition[] = (integration.status?.conditions ?? []) as Condition[];
  const after = verdicts.reduce((all, verdict) => setCondition(all, { ...verdict, observedGeneration }, now), before);
  return conditionsEqual(before, after) ? before : after;
}

/** Verdicts whose status or reason is new: worth an Event. */
export function changed(integration: Integration, verdicts: readonly Verdict[]): Verdict[] {
  const before = (integration.status?.conditions ?? []) as Condition[];
  return verdicts.filter((verdict) => {
    const was = before.find(({ type }) => type === verdict.type);
    return was?.status !== verdict.status || was.reason !== verdict.reason;
  });
}
