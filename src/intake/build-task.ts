import { createHash } from "node:crypto";
import type { AgentTaskSpec, TaskSource } from "../api/agent-task.ts";
import { manager, names } from "../api/annotations.ts";
import type { AgentTask } from "../api/kinds.ts";
import type { ProviderEvent, Signal } from "../integrations/event.ts";
import type { Integration } from "../integrations/integration.ts";
import type { Draft } from "../kube/types.ts";
import { cutCharacters, cutText } from "./cut-text.ts";
import type { Decision } from "./decide.ts";
import { taskName } from "./task-name.ts";
import { defined } from "../shared/defined.ts";

/** The input of `buildTask`. */
export interface TaskIngredients {
  integration: Integration & { metadata: { uid: string } };
  /** The kind of the integration. */
  kind: AgentTaskSpec["integrationRef"]["kind"];
  event: ProviderEvent;
  decision: Extract<Decision, { result: "task" }>;
  receivedAt: Date;
}

/** Builds the AgentTask for an event: its name is derived from the cause, it has its finalizer from the start, and every text is within the limits of the CRD. */
export function buildTask(ingredients: TaskIngredients): Draft<AgentTask> {
  const { integration, event } = ingredients;
  const { name, namespace, uid } = integration.metadata;
  return {
    metadata: {
      name: taskName(name, uid, event.cause),
      namespace,
      labels: { [names.integration]: name, [names.managedBy]: manager },
      finalizers: [names.finalizer],
    },
    spec: specOf(ingredients),
  };
}

function specOf({ integration, kind, event, decision, receivedAt }: TaskIngredients): AgentTaskSpec {
  const { command, argument, target, message, trigger } = decision;
  const prompt = promptOf(decision, event);
  return {
    integrationRef: { kind, name: integration.metadata.name },
    source: sourceOf(event, decision, receivedAt),
    actor: { id: event.actor.id, login: event.actor.login },
    conversation: cutCharacters(event.conversation, 253),
    ...defined({ command, commandArgument: argument, commandTarget: target, commandMessage: message }),
    ...defined({ codeHostRef: codeHostRefOf(integration), repository: repositoryOf(event) }),
    ...(prompt === "" ? {} : { prompt }),
    profileRef: trigger?.profileRef ?? integration.spec.profileRef,
  };
}

function codeHostRefOf({ spec }: Integration): AgentTaskSpec["codeHostRef"] {
  return spec.codeHostRef as AgentTaskSpec["codeHostRef"];
}

function repositoryOf({ repository }: ProviderEvent): AgentTaskSpec["repository"] {
  if (!repository) return undefined;
  const { id, host, owner, name } = repository;
  return { id, host, owner, name };
}

/** The trigger's prompt, then the person's visible text. A command has no prompt, because it runs no agent. */
export function promptOf(
  { trigger, command, signal }: Pick<TaskIngredients["decision"], "trigger" | "command" | "signal">,
  { visibleText }: Pick<ProviderEvent, "visibleText">,
): string {
  if (command !== undefined) return "";
  const prompt = joined([trigger?.prompt, visibleText]);
  const words = "words" in signal ? signal.words.trim() : "";
  if (words === "" || cutText(prompt) === prompt) return cutText(prompt);
  // The words after the mention say what to do. A long log above them must not push them out.
  return cutText(joined([trigger?.prompt, words, "---", `The whole text, of which the above is a part:`, visibleText]));
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join("\n\n");
}

function sourceOf(
  event: ProviderEvent,
  { trigger, signal }: TaskIngredients["decision"],
  receivedAt: Date,
): TaskSource {
  const { url, text, subject, occurredAt } = event;
  return {
    provider: event.provider,
    instance: event.instance,
    event: event.event,
    ...defined({ action: event.action, deliveryId: event.deliveryId }),
    ...(trigger === undefined ? {} : { trigger: trigger.name }),
    signal: signalOf(signal),
    ...defined({ channel: event.channel?.id }),
    cause: event.cause,
    ...(url === undefined || url.length > 2_048 ? {} : { url }),
    subject: {
      ...subject,
      key: cutCharacters(subject.key, 253),
      ...(subject.title === undefined ? {} : { title: cutCharacters(subject.title, 512) }),
    },
    object: event.object,
    ...(text === undefined ? {} : { text: cutText(text), textSHA256: sha256(text) }),
    ...(occurredAt === undefined ? {} : { occurredAt: occurredAt.toISOString() }),
    receivedAt: receivedAt.toISOString(),
  };
}

/** The signal that matched, for the report. A mention has no name: its text is in `source.text`. */
function signalOf(signal: Signal): NonNullable<TaskSource["signal"]> {
  const name = nameOf(signal);
  const followUp = "words" in signal ? signal.followUp : undefined;
  return {
    type: signalTypes[signal.kind],
    ...(name ? { name: cutCharacters(name, 256) } : {}),
    ...defined({ followUp }),
  };
}

const signalTypes = {
  mention: "Mention",
  directMessage: "DirectMessage",
  slashCommand: "SlashCommand",
  shortcut: "Shortcut",
  action: "Action",
  label: "Label",
  assignment: "Assignment",
  reviewRequest: "ReviewRequest",
  failedChecks: "FailedChecks",
} as const;

function nameOf(signal: Signal): string | undefined {
  if ("words" in signal) return undefined;
  if (signal.kind === "label") return signal.label;
  return signal.kind === "failedChecks" ? signal.name : signal.login;
}

/** Hash of the whole text, even if the task carries only the start of it. */
function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
