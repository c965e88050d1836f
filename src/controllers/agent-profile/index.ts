import { AgentProfileKind, type AgentProfile } from "../../api/kinds.ts";
import { updateStatus } from "../../kube/apply.ts";
import { setCondition } from "../../kube/conditions.ts";
import { done, type Condition, type KubeClient, type ObjectKey, type Reconciler } from "../../kube/types.ts";
import type { Clock } from "../../shared/clock.ts";
import { judge, type Guardrails } from "./decide.ts";

/** What the profile controller needs. */
export interface AgentProfileDeps {
  client: KubeClient;
  profiles: { get(key: ObjectKey): AgentProfile | undefined };
  guardrails: Guardrails;
  clock: Clock;
}

/** Judges profiles by the installation's guardrails; tasks wait for `Ready`. */
export function agentProfileReconciler({ client, profiles, guardrails, clock }: AgentProfileDeps): Reconciler {
  return async (request) => {
    const profile = profiles.get(request);
    if (!profile) return done;
    const { ok, reason, message } = judge(profile, guardrails);
    const observedGeneration = profile.metadata.generation ?? 0;
    const before = (profile.status?.conditions ?? []) as Condition[];
    const verdict = { type: "Ready", status: ok ? "True" : "False", reason, message, observedGeneration } as const;
    const conditions = setCondition(before, verdict, clock.now());
    await updateStatus(client, AgentProfileKind, profile, { observedGeneration, conditions });
    return done;
  };
}
