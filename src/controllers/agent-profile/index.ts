import { AgentProfileKind, type AgentProfile } from "../../api/kinds.ts";
import { updateStatus } from "../../kube/apply.ts";
import { setCondition } from "../../kube/conditions.ts";
import { done, type Condition, type KubeClient, type ObjectKey, type Reconciler } from "../../kube/types.ts";
import type { Clock } from "../../shared/clock.ts";
import { checkProfile, type Guardrails } from "./decide.ts";

/** Dependencies of the profile controller. */
export interface AgentProfileDeps {
  client: KubeClient;
  profiles: { get(key: ObjectKey): AgentProfile | undefined };
  guardrails: Guardrails;
  clock: Clock;
}

/** Checks profiles against the installation's guardrails and sets `Ready`; tasks wait until it is True. */
export function agentProfileReconciler({ client, profiles, guardrails, clock }: AgentProfileDeps): Reconciler {
  return async (request) => {
    const profile = profiles.get(request);
    if (!profile) return done;
    const { ok, reason, message } = checkProfile(profile, guardrails);
    const observedGeneration = profile.metadata.generation ?? 0;
    const before = (profile.status?.conditions ?? []) as Condition[];
    const verdict = { type: "Ready", status: ok ? "True" : "False", reason, message, observedGeneration } as const;
    const conditions = setCondition(before, verdict, clock.now());
    await updateStatus(client, AgentProfileKind, profile, { observedGeneration, conditions });
    return done;
  };
}
