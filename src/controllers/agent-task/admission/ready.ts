import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { Integration } from "../../../integrations/types.ts";

/** Why a task cannot be admitted whatever room there is: its integration or profile is missing or not ready. Undefined where nothing stands against it. */
export function unready(
  task: AgentTask,
  integration: Integration | undefined,
  profile: AgentProfile | undefined,
): { reason: "IntegrationNotFound" | "ProfileNotReady"; message: string } | undefined {
  const { integrationRef, profileRef } = task.spec;
  if (!integration) {
    return { reason: "IntegrationNotFound", message: `${integrationRef.name} is gone; the task waits for it.` };
  }
  if (!profile) {
    return { reason: "ProfileNotReady", message: `There is no AgentProfile ${profileRef.name} in this namespace.` };
  }
  const ready = profile.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status !== "False") return undefined;
  return { reason: "ProfileNotReady", message: `AgentProfile ${profileRef.name} is not ready: ${ready.message}` };
}
