import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { Integration } from "../../../integrations/types.ts";
import { checkProfile, type Guardrails } from "../../agent-profile/decide.ts";

/** Objects that a task depends on, from the caches. */
export interface Dependencies {
  task: AgentTask;
  integration: Integration | undefined;
  profile: AgentProfile | undefined;
  guardrails: Guardrails;
}

/** Why a task cannot be admitted even within all limits: its integration or profile is missing or not ready. Undefined if both are ready. */
export function unready(
  dependencies: Dependencies,
): { reason: "IntegrationNotFound" | "ProfileNotReady"; message: string } | undefined {
  const { integrationRef } = dependencies.task.spec;
  if (!dependencies.integration) {
    return {
      reason: "IntegrationNotFound",
      message: `${integrationRef.kind} ${integrationRef.name} does not exist in this namespace; the task waits until it is created.`,
    };
  }
  return unreadyProfile(dependencies);
}

/** Checks the profile alone. It checks the spec and not the status, because the status follows a change of the spec with a delay. */
export function unreadyProfile({
  task,
  profile,
  guardrails,
}: Omit<Dependencies, "integration">): { reason: "ProfileNotReady"; message: string } | undefined {
  const { name } = task.spec.profileRef;
  if (!profile) return { reason: "ProfileNotReady", message: `AgentProfile ${name} does not exist in this namespace` };
  const { ok, message } = checkProfile(profile, guardrails);
  return ok ? undefined : { reason: "ProfileNotReady", message: `AgentProfile ${name} is not ready: ${message}` };
}
