import type { AgentTask } from "../api/kinds.ts";
import type { Origin, ProviderEvent } from "../integrations/event.ts";
import type { Delivery, Normalised, NormaliseContext } from "../integrations/ingress.ts";
import type { Provider } from "../integrations/provider.ts";
import type { Draft, KubeClient } from "../kube/types.ts";
import type { Clock } from "../shared/clock.ts";
import {
  accepted,
  duplicate,
  handshake,
  ignored,
  replied,
  retryLater,
  refused,
  unsigned,
  type Answer,
} from "./answer.ts";
import { buildTask } from "./build-task.ts";
import type { CompiledRule } from "./cel.ts";
import { chooseIntegration, type Candidates, type Choice, type StoredIntegration } from "./choose-integration.ts";
import { createTask, type StoreResult } from "./create-task.ts";
import { decide, whyInactive } from "./decide.ts";
import { defined } from "../shared/defined.ts";
import { threadKey, type IntegrationFacts } from "./gateway-facts.ts";
import type { HookMember, RouteEntry, SocketEntry } from "./gateway-keys.ts";

/** Dependencies of `handleDelivery`. */
export interface IntakeDeps {
  provider(name: string): Provider | undefined;
  /** The integration from the local copy; undefined if it was deleted or recreated. */
  integration(member: HookMember): StoredIntegration | undefined;
  facts(integrationUid: string): IntegrationFacts;
  compile: (expression: string) => CompiledRule;
  client: Pick<KubeClient, "create">;
  clock: Clock;
}

/** A delivery and the hook or connection that received it. */
export interface Received {
  entry: Pick<RouteEntry | SocketEntry, "provider" | "host" | "members">;
  delivery: Delivery;
  deps: IntakeDeps;
  /** Aborts the call to the API server. */
  signal: AbortSignal;
}

/** A delivery to a hook, whose keys verify it. */
export interface Intake extends Received {
  entry: RouteEntry;
}

/**
 * Handles one delivery: verify → parse → normalise → decide → create the task → answer. A delivery is acknowledged only after
 * its task is stored. Gateway, recovery and CLI all call this function, so all three decide the same.
 */
export async function handleDelivery(intake: Intake): Promise<Answer> {
  const { entry, delivery, deps } = intake;
  const provider = deps.provider(entry.provider);
  if (!provider)
    return retryLater(
      503,
      "ProviderUnknown",
      "This gateway does not know the provider of the hook. Check that the gateway is not older than the operator.",
    );
  return inProviderForm(await handleKnown(intake, provider), provider, delivery);
}

/**
 * Handles one delivery that arrived over a connection which we opened with the integration's token. The connection proves where the delivery comes
 * from, so there is no signature; everything else is as in `handleDelivery`.
 */
export async function handleProven(received: Received, provider: Provider): Promise<Answer> {
  return inProviderForm(await handleVerified(received, provider), provider, received.delivery);
}

async function handleKnown(intake: Intake, provider: Provider): Promise<Answer> {
  const { entry, delivery } = intake;
  if (!isSigned(provider, entry, delivery)) return unsigned();
  const wrongType = checkContentType(provider, delivery);
  if (wrongType) return wrongType;
  return handleVerified(intake, provider);
}

/** Adds the answer in the provider's own form, if the provider needs one. The body of the delivery is empty if it was not read. */
export function inProviderForm(answer: Answer, { ingress }: Provider, delivery: Delivery): Answer {
  return answer.reply || !ingress.reply ? answer : { ...answer, reply: ingress.reply(answer, delivery) };
}

async function handleVerified(intake: Received, provider: Provider): Promise<Answer> {
  const found = findEvent(intake, provider);
  if ("answer" in found) return found.answer;
  const { event, body, integration } = found;
  const { deps, delivery } = intake;
  const published = deps.facts(integration.metadata.uid);
  const decision = decide({ integration, event, body, published, now: deps.clock.now(), compile: deps.compile });
  if (decision.result === "ignored") return ignored(decision.reason, decision.message);
  const ingredients = { integration, kind: provider.kind, event, decision, receivedAt: delivery.receivedAt };
  return store(intake, buildTask(ingredients));
}

/** Whether one of the hook's keys signed the delivery. */
export function isSigned(provider: Provider, entry: RouteEntry, delivery: Delivery): boolean {
  const keys = entry.keys.map((key) => Buffer.from(key, "base64"));
  return provider.ingress.verify(delivery, keys).ok;
}

function checkContentType({ name, ingress }: Provider, { headers }: Delivery): Answer | undefined {
  const given = (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (ingress.contentTypes.includes(given)) return undefined;
  const wanted = ingress.contentTypes.join(" or ");
  return refused(
    400,
    "ContentType",
    `The Content-Type is ${given === "" ? "missing" : given} but must be ${wanted}. Set "Content type" to ${wanted} in the webhook's settings at ${name}.`,
  );
}

type FoundEvent = { answer: Answer } | { event: ProviderEvent; body: unknown; integration: StoredIntegration };

/** Normalises the delivery and finds its integration. The bot that a mention must name depends on the integration, so the delivery may be normalised twice. */
function findEvent(intake: Received, provider: Provider): FoundEvent {
  const known = candidatesOf(intake.entry, intake.deps, provider);
  const likely = known.candidates.find(({ status }) => status?.bot);
  const first = normaliseFor(likely, intake, provider);
  if (first.outcome === "handshake") return { answer: handshake(first.reply) };
  const origin = originOf(first);
  if (!origin) return { answer: answerWithoutEvent(first) };
  const choice = chooseIntegration(provider, known, origin);
  if (!choice.integration) return { answer: answerWithoutIntegration(choice, first) };
  const { integration } = choice;
  // Another integration of the hook has other live threads, even if it has the same bot.
  const isLikely = integration.metadata.uid === likely?.metadata.uid;
  const final = isLikely ? first : normaliseFor(integration, intake, provider);
  if (final.outcome !== "event") return { answer: answerWithoutEvent(final, integration) };
  return { event: final.event, body: final.body, integration };
}

/** The place that a delivery comes from; undefined if it names none. */
function originOf(read: Normalised): Origin | undefined {
  const origin: Origin | undefined =
    read.outcome === "event" ? read.event : "installationId" in read || "repository" in read ? read : undefined;
  return origin?.repository || origin?.installationId !== undefined ? origin : undefined;
}

/** Whether the bot takes part in a thread, as the operator published it for the integration. */
function liveIn(whose: StoredIntegration | undefined, deps: IntakeDeps): NormaliseContext["isLive"] {
  if (!whose) return () => false;
  return (conversation) => deps.facts(whose.metadata.uid).liveThreads.includes(threadKey(conversation));
}

function normaliseFor(
  whose: StoredIntegration | undefined,
  { entry, delivery, deps }: Received,
  provider: Provider,
): Normalised {
  return provider.ingress.normalise(delivery, {
    bot: whose?.status?.bot,
    installations: whose?.status?.installations,
    host: entry.host,
    isLive: liveIn(whose, deps),
    offered: whose && !whyInactive(whose) ? deps.facts(whose.metadata.uid).offered : [],
  });
}

function candidatesOf(entry: Received["entry"], deps: IntakeDeps, provider: Provider): Candidates {
  const candidates = entry.members
    .flatMap((member) => deps.integration(member) ?? [])
    .filter((one) => provider.host(one) === entry.host);
  return { candidates, complete: candidates.length === entry.members.length };
}

/** The answer if no integration was found. If an integration that is not known yet may have a matching trigger, the answer asks the sender to retry. */
function answerWithoutIntegration(
  { reason, message, again, detail }: Exclude<Choice, { integration: object }>,
  read: Normalised,
): Answer {
  const isWorthRetrying =
    read.outcome === "event" || read.outcome === "reply" || (read.outcome === "ignored" && read.again === true);
  const answer = again && isWorthRetrying ? retryLater(503, reason, message) : ignored(reason, message);
  return { ...answer, ...defined({ detail }) };
}

/** The answer to a delivery that is no event. If it may become one later, the answer asks the sender to retry, unless the integration is inactive. */
function answerWithoutEvent(read: Normalised, integration?: StoredIntegration): Answer {
  if (read.outcome === "malformed") return malformed(read);
  if (read.outcome === "handshake") return handshake(read.reply);
  if (read.outcome === "reply") return replied(read.reply);
  if (read.outcome === "event") return ignored("NoOrigin", "The delivery does not name the place that it comes from.");
  if (!read.again) return { ...ignored(read.reason, read.message), ...(read.private ? { private: true } : {}) };
  const inactive = integration && whyInactive(integration);
  return inactive ? ignored(inactive.reason, inactive.message) : retryLater(503, read.reason, read.message);
}

function malformed({ path, message }: { path: string; message: string }): Answer {
  return refused(400, "Malformed", `${path}: ${message}`);
}

async function store({ deps, signal }: Received, task: Draft<AgentTask>): Promise<Answer> {
  return answerTo(await createTask(deps.client, task, signal), {
    namespace: task.metadata.namespace ?? "",
    name: task.metadata.name,
    command: task.spec.command,
  });
}

/** Converts the result of storing the task to the answer for the sender. Details go to our log only. */
function answerTo(
  stored: StoreResult,
  { command, ...task }: { namespace: string; name: string; command: string | undefined },
): Answer {
  if (stored.result === "created") return accepted(task, command);
  if (stored.result === "exists") return duplicate(task);
  if (stored.result === "ignored") return ignored(stored.reason, stored.message);
  const { reason, message, detail } = stored;
  if (stored.result === "invalid")
    return { ...refused(500, reason, message), detail: `${task.namespace}/${task.name}: ${detail}` };
  return { ...retryLater(503, reason, message, stored.retryAfterMs), detail };
}
