import type { AgentTask } from "../api/kinds.ts";
import type { Delivery, Normalised, Provider, ProviderEvent } from "../integrations/types.ts";
import type { Draft, KubeClient } from "../kube/types.ts";
import type { Clock } from "../shared/clock.ts";
import { accepted, duplicate, ignored, later, refused, unsigned, type Answer } from "./answer.ts";
import { buildTask } from "./build-task.ts";
import type { CompiledRule } from "./cel.ts";
import { chooseIntegration, type Candidates, type Choice, type StoredIntegration } from "./choose-integration.ts";
import { createTask, type StoreResult } from "./create-task.ts";
import { atRest, decide } from "./decide.ts";
import type { IntegrationFacts } from "./gateway-facts.ts";
import type { HookMember, RouteEntry } from "./gateway-keys.ts";

/** What handling a delivery needs to know and to reach. */
export interface IntakeDeps {
  provider(name: string): Provider | undefined;
  /** The integration as last seen; undefined where it is gone or was made anew. */
  integration(member: HookMember): StoredIntegration | undefined;
  facts(integrationUid: string): IntegrationFacts;
  compile: (expression: string) => CompiledRule;
  client: Pick<KubeClient, "create">;
  clock: Clock;
}

/** A delivery on the hook it came by. */
export interface Intake {
  entry: RouteEntry;
  delivery: Delivery;
  deps: IntakeDeps;
  /** Ends the wait for the API server. */
  signal: AbortSignal;
}

/**
 * Takes one delivery: verify → parse → normalise → decide → create the task → answer. Nothing is acknowledged that is
 * not stored. Gateway, recovery and CLI all come here, so all three decide alike.
 */
export async function handleDelivery(intake: Intake): Promise<Answer> {
  const { entry, delivery, deps } = intake;
  const provider = deps.provider(entry.provider);
  if (!provider)
    return later(
      503,
      "ProviderUnknown",
      "This gateway does not know the hook's provider; is it older than the operator?",
    );
  if (!isSigned(provider, entry, delivery)) return unsigned();
  const wrongType = checkContentType(provider, delivery);
  if (wrongType) return wrongType;
  return handleVerified(intake, provider);
}

async function handleVerified(intake: Intake, provider: Provider): Promise<Answer> {
  const found = understand(intake, provider);
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
  return provider.webhooks.verify(delivery, keys).ok;
}

function checkContentType({ name, webhooks }: Provider, { headers }: Delivery): Answer | undefined {
  const given = (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (webhooks.contentTypes.includes(given)) return undefined;
  const wanted = webhooks.contentTypes.join(" or ");
  return refused(
    400,
    "ContentType",
    `Content-Type is ${given === "" ? "missing" : given}, and must be ${wanted}: set "Content type" to ${wanted} in the webhook's settings at ${name}.`,
  );
}

type Understood = { answer: Answer } | { event: ProviderEvent; body: unknown; integration: StoredIntegration };

/** Reads the delivery and finds whose it is. Which bot a mention must name depends on that, so it may be read twice. */
function understand(intake: Intake, provider: Provider): Understood {
  const known = candidatesOf(intake.entry, intake.deps, provider);
  const likely = known.candidates.find(({ status }) => status?.bot);
  const first = readFor(likely, intake, provider);
  const about = first.outcome === "event" ? first.event : first;
  if (!("repository" in about)) return { answer: silentAnswer(first) };
  const choice = chooseIntegration(provider, known, about);
  if (!choice.integration) return { answer: unchosenAnswer(choice, first) };
  const { integration } = choice;
  const final = sameBot(integration, likely) ? first : readFor(integration, intake, provider);
  if (final.outcome !== "event") return { answer: silentAnswer(final, integration) };
  return { event: final.event, body: final.body, integration };
}

function sameBot(a: StoredIntegration, b: StoredIntegration | undefined): boolean {
  return a.status?.bot?.id === b?.status?.bot?.id;
}

function readFor(whose: StoredIntegration | undefined, { entry, delivery }: Intake, provider: Provider): Normalised {
  return provider.webhooks.normalise(delivery, { bot: whose?.status?.bot, host: entry.host });
}

function candidatesOf(entry: RouteEntry, deps: IntakeDeps, provider: Provider): Candidates {
  const candidates = entry.members
    .flatMap((member) => deps.integration(member) ?? [])
    .filter((one) => provider.host(one) === entry.host);
  return { candidates, complete: candidates.length === entry.members.length };
}

/** The answer where no integration was chosen. What may ring for one that we do not know yet was not taken. */
function unchosenAnswer(
  { reason, message, again }: Exclude<Choice, { integration: object }>,
  read: Normalised,
): Answer {
  const mayTrigger = read.outcome === "event" || (read.outcome === "ignored" && read.again === true);
  return again && mayTrigger ? later(503, reason, message) : ignored(reason, message);
}

/** The answer to what is no event. What may be one later was not taken, unless the integration takes nothing. */
function silentAnswer(read: Normalised, integration?: StoredIntegration): Answer {
  if (read.outcome === "malformed") return malformed(read);
  if (read.outcome === "event") return ignored("NoRepository", "No repository is named.");
  if (!read.again) return ignored(read.reason, read.message);
  const rest = integration && atRest(integration);
  return rest ? ignored(rest.reason, rest.message) : later(503, read.reason, read.message);
}

function malformed({ path, message }: { path: string; message: string }): Answer {
  return refused(400, "Malformed", `${path}: ${message}`);
}

async function store({ deps, signal }: Intake, task: Draft<AgentTask>): Promise<Answer> {
  return answerTo(await createTask(deps.client, task, signal), {
    namespace: task.metadata.namespace ?? "",
    name: task.metadata.name,
  });
}

/** The table of the design: what the API server said, as the sender hears it. Details are for our log only. */
function answerTo(stored: StoreResult, task: { namespace: string; name: string }): Answer {
  if (stored.result === "created") return accepted(task);
  if (stored.result === "exists") return duplicate(task);
  if (stored.result === "ignored") return ignored(stored.reason, stored.message);
  const { reason, message, detail } = stored;
  if (stored.result === "invalid")
    return { ...refused(500, reason, message), detail: `${task.namespace}/${task.name}: ${detail}` };
  return { ...later(503, reason, message, stored.retryAfterMs), detail };
}
