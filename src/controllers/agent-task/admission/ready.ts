import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { Integration } from "../../../integrations/types.ts";
import { judge, type Guardrails } from "../../agent-profile/decide.ts";

/** What a task depends on, as the caches have it. */
export interface Dependencies {
  task: AgentTask;
  integration: Integration | undefined;
  profile: AgentProfile | undefined;
  guardrails: Guardrails;
}

/** Why a task cannot be admitted whatever room there is: its integration or profile is missing or not ready. Undefined where nothing stands against it. */
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

/** The profile's part of it. Its spec is judged, not its status, which follows a change of the spec only after a while. */
export function unreadyProfile({
  task,
  profile,
  guardrails,
}: Omit<Dependencies, "integration">): { reason: "ProfileNotReady"; message: string } | undefined {
  const { name } = task.spec.profileRef;
  if (!profile) return { reason: "ProfileNotReady", message: `AgentProfile ${name} does not exist in this namespace` };
  const { ok, message } = judge(profile, guardrails);
  return ok ? undefined : { reason: "ProfileNotReady", message: `AgentProfile ${name} is not ready: ${message}` };
}
