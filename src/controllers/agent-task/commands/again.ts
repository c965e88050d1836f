import { manager, names } from "../../../api/annotations.ts";
import type { AgentTask } from "../../../api/kinds.ts";
import { cutText } from "../../../intake/cut-text.ts";
import { taskName } from "../../../intake/task-name.ts";
import type { Draft } from "../../../kube/types.ts";

const goOn = "Continue the work of this conversation from the current state of the branch.";

/**
 * The task that does an earlier one again (`retry`) or goes on from where it stands (`continue`): named after the cause of the command, so
 * that it is made once; from the command's own source and actor, so that it is authorised anew; with the earlier one's prompt and profile.
 */
export function taskAgain(command: AgentTask, original: AgentTask, integrationUID: string): Draft<AgentTask> {
  const { spec } = command;
  const kind = spec.command ?? "retry";
  const prompt = [kind === "continue" ? goOn : undefined, original.spec.prompt]
    .filter((part) => part !== undefined)
    .join("\n\n");
  return {
    metadata: {
      name: taskName(spec.integrationRef.name, integrationUID, spec.source.cause, kind),
      namespace: command.metadata.namespace,
      labels: { [names.integration]: spec.integrationRef.name, [names.managedBy]: manager },
      finalizers: [names.finalizer],
    },
    spec: {
      integrationRef: spec.integrationRef,
      source: spec.source,
      actor: spec.actor,
      conversation: spec.conversation,
      ...(original.spec.repository ? { repository: original.spec.repository } : {}),
      ...(prompt === "" ? {} : { prompt: cutText(prompt) }),
      profileRef: original.spec.profileRef,
      ...(original.spec.limits ? { limits: original.spec.limits } : {}),
      retryOf: { name: original.metadata.name },
    },
  };
}
