import { manager, names } from "../../../api/annotations.ts";
import type { AgentTask } from "../../../api/kinds.ts";
import { cutText } from "../../../intake/cut-text.ts";
import { taskName } from "../../../intake/task-name.ts";
import type { Draft } from "../../../kube/types.ts";

const continuePrompt = "Continue the work of this conversation from the current state of the branch.";

/**
 * Builds the task that repeats an earlier task (`retry`) or continues it (`continue`). Its name comes from the command's cause, so that it is
 * created once; its source and actor are the command's, so that it is authorised again; its prompt and profile are the earlier task's.
 */
export function taskAgain(command: AgentTask, original: AgentTask, integrationUID: string): Draft<AgentTask> {
  const { spec } = command;
  const kind = spec.command ?? "retry";
  const prompt = [kind === "continue" ? continuePrompt : undefined, original.spec.prompt]
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
