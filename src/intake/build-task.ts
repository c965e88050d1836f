import { createHash } from "node:crypto";
import type { AgentTaskSpec, TaskSource } from "../api/agent-task.ts";
import { manager, names } from "../api/annotations.ts";
import type { AgentTask } from "../api/kinds.ts";
import type { Integration, ProviderEvent, Signal } from "../integrations/types.ts";
import type { Draft } from "../kube/types.ts";
import { cutCharacters, cutText } from "./cut-text.ts";
import type { Decision } from "./decide.ts";
import { taskName } from "./task-name.ts";

/** What a task is made of. */
export interface TaskIngredients {
  integration: Integration & { metadata: { uid: string } };
  /** The kind of the integration. */
  kind: string;
  event: ProviderEvent;
  decision: Extract<Decision, { result: "task" }>;
  receivedAt: Date;
}

/** The AgentTask for an event: named after its cause, born with its finalizer, every text within the CRD's bounds. */
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
  const { command, argument, trigger } = decision;
  const prompt = promptOf(decision, event);
  const { id, host, owner, name } = event.repository;
  return {
    integrationRef: { kind: kind as AgentTaskSpec["integrationRef"]["kind"], name: integration.metadata.name },
    source: sourceOf(event, decision, receivedAt),
    actor: { id: event.actor.id, login: event.actor.login },
    conversation: cutCharacters(event.conversation, 253),
    ...(command === undefined ? {} : { command }),
    ...(argument === undefined ? {} : { commandArgument: argument }),
    repository: { id, host, owner, name },
    ...(prompt === "" ? {} : { prompt }),
    profileRef: trigger?.profileRef ?? integration.spec.profileRef,
  };
}

/** The trigger's words, then the person's, as everybody can see them. A command asks for nothing of an agent. */
function promptOf({ trigger, command }: TaskIngredients["decision"], { visibleText }: ProviderEvent): string {
  if (command !== undefined) return "";
  return cutText([trigger?.prompt, visibleText].filter((part) => part !== undefined && part !== "").join("\n\n"));
}

function sourceOf(event: ProviderEvent, { trigger, ring }: TaskIngredients["decision"], receivedAt: Date): TaskSource {
  const { url, text, subject, occurredAt } = event;
  return {
    provider: event.provider,
    event: event.event,
    ...(event.action === undefined ? {} : { action: event.action }),
    ...(event.deliveryId === undefined ? {} : { deliveryId: event.deliveryId }),
    ...(trigger === undefined ? {} : { trigger: trigger.name }),
    signal: signalOf(ring),
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

/** What matched, for people. The words of a mention are in the text. */
function signalOf(ring: Signal): NonNullable<TaskSource["signal"]> {
  const name = nameOf(ring);
  return { type: signalTypes[ring.kind], ...(name ? { name: cutCharacters(name, 256) } : {}) };
}

const signalTypes = {
  mention: "Mention",
  label: "Label",
  assignment: "Assignment",
  reviewRequest: "ReviewRequest",
  failedChecks: "FailedChecks",
} as const;

function nameOf(ring: Signal): string | undefined {
  if (ring.kind === "mention") return undefined;
  if (ring.kind === "label") return ring.label;
  return ring.kind === "failedChecks" ? ring.name : ring.login;
}

/** Over the whole text, also where the task carries only its beginning. */
function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
