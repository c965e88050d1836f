import type { Condition } from "../../kube/types.ts";
import { conditionsEqual, setCondition } from "../../kube/conditions.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { TaskCache } from "../agent-task/task-index.ts";

/** A condition of an integration, without time and generation, which are added when it is written. */
export interface Verdict {
  type: "Ready" | "CredentialsValid" | "WebhookInstalled" | "Stalled";
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
}

/** Builders of verdicts, one for each condition and status. */
export const valid = (message: string): Verdict => ({
  type: "CredentialsValid",
  status: "True",
  reason: "SignedIn",
  message,
});
export const invalid = (reason: string, message: string): Verdict => ({
  type: "CredentialsValid",
  status: "False",
  reason,
  message,
});
export const unknown = (reason: string, message: string): Verdict => ({
  type: "CredentialsValid",
  status: "Unknown",
  reason,
  message,
});
export const installed = (reason: string, message: string): Verdict => ({
  type: "WebhookInstalled",
  status: "True",
  reason,
  message,
});
export const notInstalled = (reason: string, message: string): Verdict => ({
  type: "WebhookInstalled",
  status: "False",
  reason,
  message,
});
export const stalled = (reason: string, message: string): Verdict => ({
  type: "Stalled",
  status: "True",
  reason,
  message,
});
export const moving: Verdict = {
  type: "Stalled",
  status: "False",
  reason: "Progressing",
  message: "No manual action required.",
};

/** `Ready` follows from the other conditions: the first that is not as it should be gives reason and message. */
export function readiness(verdicts: readonly Verdict[], suspended: boolean): Verdict {
  const wrong =
    verdicts.find(({ type, status }) => type === "Stalled" && status === "True") ??
    verdicts.find(({ type, status }) => type !== "Stalled" && status !== "True");
  if (wrong) return { type: "Ready", status: "False", reason: wrong.reason, message: wrong.message };
  if (suspended)
    return {
      type: "Ready",
      status: "True",
      reason: "Suspended",
      message: "Everything is set up; spec.suspend prevents new tasks.",
    };
  return { type: "Ready", status: "True", reason: "Ready", message: "Deliveries are verified and create tasks." };
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

/** Pure: `status.triggers`, with the time each trigger was first seen; removed triggers are pruned. */
export function triggersSince(integration: Integration, now: Date): { name: string; since: string }[] {
  const known = new Map((integration.status?.triggers ?? []).map(({ name, since }) => [name, since]));
  return integration.spec.triggers.map(({ name }) => ({ name, since: known.get(name) ?? now.toISOString() }));
}

/**
 * Pure: when a delivery last created a task of this integration, or one of a chat whose changes go there, from the tasks that still exist; never moves back. It is updated only with
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
