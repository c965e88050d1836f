import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import { isNotFound } from "../../kube/errors.ts";
import type { Integration } from "../../integrations/integration.ts";
import { promptOfTask } from "./state.ts";
import type { StepContext } from "./steps.ts";

/** A retry of a retry leads back at most this far. */
const maxRetries = 10;

/**
 * The text that the person wrote, without the trigger's prompt: a repository that the administrator mentions there is not what the person asks about.
 * For a retry it is the text of the first request. Reads from the API server, because the cache has no texts. Empty if that request is gone.
 */
export async function requestText(context: StepContext): Promise<string> {
  let task: AgentTask | undefined = await context.live();
  for (let retries = 0; task?.spec.retryOf; retries++) {
    if (retries === maxRetries) return "";
    task = await originalOf(context, task.spec.retryOf.name);
  }
  return task === undefined ? "" : textOf(task, context.facts);
}

async function originalOf(context: StepContext, name: string): Promise<AgentTask | undefined> {
  const { namespace } = context.facts.task.metadata;
  try {
    return await context.deps.kube.get(AgentTaskKind, { namespace, name }, context.signal);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function textOf(asked: AgentTask, { task, integration }: StepContext["facts"]): string {
  const { spec } = asked;
  const { source } = spec;
  const prompt = promptOfTask(asked);
  if (source.trigger === undefined) return prompt ?? source.text ?? "";
  const { kind, name } = task.spec.integrationRef;
  const isSame = spec.integrationRef.kind === kind && spec.integrationRef.name === name;
  return withoutPrefix(prompt ?? "", isSame ? integration : undefined, source.trigger) ?? source.text ?? "";
}

/** Undefined if the trigger is gone or its prompt is another one now: then nobody knows where the person's text begins. */
function withoutPrefix(prompt: string, integration: Integration | undefined, name: string): string | undefined {
  const trigger = integration?.spec.triggers.find((one) => one.name === name);
  if (!trigger) return undefined;
  const prefix = trigger.prompt ?? "";
  return prompt.startsWith(prefix) ? prompt.slice(prefix.length) : undefined;
}
