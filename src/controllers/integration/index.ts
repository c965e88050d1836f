import { names } from "../../api/annotations.ts";
import type { Connection } from "../../integrations/connection.ts";
import type { Integration } from "../../integrations/integration.ts";
import { updateStatus } from "../../kube/apply.ts";
import { addFinalizer } from "../../kube/finalizers.ts";
import { done, type Reconciler, type Result } from "../../kube/types.ts";
import { defined } from "../../shared/defined.ts";
import { keepGrants } from "../install/keep-grants.ts";
import { installURLOf } from "../install/install-urls.ts";
import { integrationFinder } from "../integration-handle.ts";
import { requeueAfterFailure } from "../provider-failure.ts";
import type { IntegrationDeps } from "./deps.ts";
import { finalize } from "./finalize.ts";
import { publishFacts } from "./gateway-facts.ts";
import type { Refusal } from "./gateway-routes.ts";
import type { HookSecret } from "./hook-secret.ts";
import { install, type InstallFacts, type Installation } from "./install.ts";
import { hasProven, keepKey, withPending } from "./keep-key.ts";
import { notSearched, recover, type Recovered } from "./recover.ts";
import { signIn, type SignedIn } from "./sign-in.ts";
import { arrivesBySocket } from "./socket.ts";
import { quotaUsedUp, stalledBy } from "./stalled.ts";
import {
  changed,
  lastTaskTime,
  moving,
  notInstalled,
  readiness,
  stalled,
  triggersSince,
  withVerdicts,
  type Verdict,
} from "./status.ts";

/** CRD maximum: 256 repositories plus stale hooks that could not be removed. */
const maxHooks = 300;

/** Reconciles integrations of one kind: checks credentials, publishes keys, installs and repairs hooks, and removes everything on deletion. */
export function integrationReconciler(deps: IntegrationDeps): Reconciler {
  return async (request, signal) => {
    const found = deps.source.get(request);
    if (!found) return done;
    if (found.metadata.deletionTimestamp !== undefined) return finalize(deps, found, signal);
    const integration = await addFinalizer(deps.client, deps.type, found, names.finalizer);
    try {
      return await reconcile(deps, integration, signal);
    } catch (error) {
      return requeueAfterFailure(error);
    }
  };
}

/** Results of one reconcile, written to the status at its end. */
interface Outcome {
  /** The integration as it is stored now. */
  integration: Integration;
  verdicts: Verdict[];
  status: Record<string, unknown>;
  requeueAfterMs: number;
}

async function reconcile(deps: IntegrationDeps, given: Integration, signal: AbortSignal): Promise<Result> {
  const outcome = await work(deps, given, signal);
  const { integration } = outcome;
  const listAgainMs = await offerRepositories(deps, integration, signal);
  const quota = await quotaUsedUp(deps.client, integration.metadata.namespace, signal);
  const found = outcome.verdicts.map((verdict) => (verdict === moving ? (quota ?? moving) : verdict));
  const verdicts = [...found, readiness(found, integration.spec.suspend)];
  const now = deps.clock.now();
  const status = {
    ...integration.status,
    ...outcome.status,
    observedGeneration: integration.metadata.generation ?? 0,
    triggers: triggersSince(integration, now),
    ...installStatus(deps, integration),
    ...defined({ lastTaskTime: lastTaskTime(integration, deps.tasks) }),
    conditions: withVerdicts(integration, verdicts, now),
  };
  await updateStatus(deps.client, deps.type, integration, status);
  for (const verdict of changed(integration, verdicts)) recordChange(deps, integration, verdict);
  return { requeueAfterMs: Math.min(outcome.requeueAfterMs, listAgainMs ?? Number.POSITIVE_INFINITY) };
}

/**
 * Publishes the repositories that people may choose in a menu. If the code host does not answer, those that were published stay; returns after
 * which time to ask it again.
 */
async function offerRepositories(
  deps: IntegrationDeps,
  integration: Integration,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (!deps.source.provider.ingress.offersRepositories) return undefined;
  const listed = await deps.publicNames.of(integration, signal);
  if ("retryMs" in listed) return listed.retryMs;
  await publishFacts(factsDeps(deps), integration, { signal, publicOnes: listed.names });
  return undefined;
}

function factsDeps(deps: IntegrationDeps): Parameters<typeof publishFacts>[0] {
  const { client, profiles, tasks, config, source, sources } = deps;
  const find = integrationFinder(deps, sources);
  return { client, namespace: config.namespace, profiles, tasks, provider: source.provider, find };
}

async function work(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<Outcome> {
  const { provider } = deps.source;
  await keepGrants(deps, provider, integration, signal);
  const proof = (await hasProven(deps, integration, signal)) ? undefined : await signIn(deps, integration, signal);
  if (proof && !proof.connection) return withoutProof(deps, integration, proof, signal);
  const published = await publish(deps, integration, signal);
  return finish(deps, published, proof ?? (await signIn(deps, integration, signal)), signal);
}

async function finish(
  deps: IntegrationDeps,
  { facts, status, refused, pending }: PublishedKeys,
  signedIn: SignedIn,
  signal: AbortSignal,
): Promise<Outcome> {
  const stuck = stalledBy(deps, facts.integration) ?? ifStalled(refused);
  if (stuck || !signedIn.connection) {
    const verdicts = [...signedIn.verdicts, notReached, stuck ?? moving];
    return {
      integration: facts.integration,
      verdicts,
      status: { ...status, ...signedIn.status },
      requeueAfterMs: signedIn.retryMs ?? resyncMs(deps),
    };
  }
  // Gateways recognise a mention by the bot's name, so the status has it before the hook delivers the first event.
  const withBot = { ...facts.integration.status, ...signedIn.status };
  const stored = await updateStatus(deps.client, deps.type, facts.integration, withBot);
  const hooks = await install(deps, signedIn.connection, facts, signal);
  const { status: recovered, againMs } = await recoverOwn(deps, signedIn.connection, { facts, hooks }, signal);
  return {
    integration: stored,
    verdicts: [...signedIn.verdicts, refused ?? withPending(hooks.verdict, pending), signedIn.stuck ?? moving],
    status: { ...status, ...signedIn.status, ...hooksStatus(deps, facts, hooks), ...recovered },
    requeueAfterMs: Math.min(hooks.retryMs ?? resyncMs(deps), againMs ?? resyncMs(deps)),
  };
}

/** Nothing is redelivered to a hook of somebody else. */
async function recoverOwn(
  deps: IntegrationDeps,
  connection: Connection,
  { facts, hooks }: { facts: InstallFacts; hooks: Installation },
  signal: AbortSignal,
): Promise<Recovered> {
  return hooks.verdict.reason === "ForeignHook" ? notSearched : recover(deps, connection, facts, signal);
}

function resyncMs({ config }: IntegrationDeps): number {
  return Math.min(config.resyncMs, config.recoveryMs);
}

/** An integration that has not signed in with the App's key learns nothing of the App's hook, and gateways serve nothing for it. */
async function withoutProof(
  deps: IntegrationDeps,
  integration: Integration,
  proof: SignedIn,
  signal: AbortSignal,
): Promise<Outcome> {
  // Its spec may have named a hook of its own before an edit: stop serving that route.
  await deps.keys.publish(signal);
  return {
    integration,
    verdicts: [...proof.verdicts, notReached, stalledBy(deps, integration) ?? moving],
    status: { ...proof.status, webhookURL: undefined, keyGeneration: undefined },
    requeueAfterMs: proof.retryMs ?? resyncMs(deps),
  };
}

const notReached = notInstalled(
  "NotReached",
  "hooks are not checked until CredentialsValid is True and Stalled is False",
);

interface PublishedKeys {
  facts: InstallFacts;
  status: Record<string, unknown>;
  /** Why gateways do not serve the integration or its accepted key. */
  refused: Verdict | undefined;
  /** Human-readable: when the requested rotation starts, if it has to wait. */
  pending: string | undefined;
}

/** Publishes route, keys and facts to the gateways before the provider is called, so that every delivery can be verified. */
async function publish(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<PublishedKeys> {
  const { config } = deps;
  const { provider } = deps.source;
  const { secret, handled, refused, pending } = await keepKey(deps, integration, signal);
  if (refused !== undefined) {
    const message = `The webhook key was not rotated: ${refused}.`;
    deps.events.record(integration, { type: "Warning", reason: "RotationRefused", message, action: "Reconcile" });
  }
  await publishFacts(factsDeps(deps), integration, { signal });
  const published = await deps.keys.publish(signal);
  const url = config.externalURL && `${config.externalURL}/hooks/${secret.route}`;
  const known = integration.status?.hooks ?? [];
  const refusal = published.refused.get(integration.metadata.uid ?? "");
  return {
    facts: { integration, secret, published: published.generation, url: url ?? "", known },
    status: { ...hookStatus(deps, integration, { url, secret }), ...defined({ lastHandledRotateAt: handled }) },
    refused: refusal && refusedVerdict(provider.ingress.webhook(integration).install, refusal),
    pending,
  };
}

/** URL and key of the hook; none of a former hook if deliveries now arrive over a connection. */
function hookStatus(
  { source }: IntegrationDeps,
  integration: Integration,
  { url, secret }: { url: string | undefined; secret: HookSecret },
): Record<string, unknown> {
  if (arrivesBySocket(source.provider, integration)) return { webhookURL: undefined, keyGeneration: undefined };
  // Kept until hooks have the new URL: an App's hook with the old URL is recognised as ours by it.
  return defined({ webhookURL: integration.status?.webhookURL ?? url, keyGeneration: secret.generation });
}

/** Deliveries of a manually managed hook are signed with the accepted key only, so without that key the hook does not work. Otherwise only the additional key needs a fix. */
function refusedVerdict(install: "Auto" | "Manual", { reason, message }: Refusal): Verdict {
  return install === "Manual" ? notInstalled(reason, message) : stalled(reason, message);
}

function ifStalled(verdict: Verdict | undefined): Verdict | undefined {
  return verdict?.type === "Stalled" ? verdict : undefined;
}

function hooksStatus(
  deps: IntegrationDeps,
  { url }: InstallFacts,
  { hooks, elsewhere = false }: Installation,
): Record<string, unknown> {
  if (!hooks) return {};
  const now = hourOf(deps.clock.now());
  return {
    ...(elsewhere ? {} : { webhookURL: url }),
    hooks: hooks.slice(0, maxHooks).map((hook) => ({ ...hook, verifiedAt: hook.verifiedAt ?? now })),
  };
}

/** `status.installURL`, of kinds that have an install flow. */
function installStatus(
  { source, config }: IntegrationDeps,
  integration: Integration,
): { installURL?: string | undefined } {
  return source.provider.install
    ? { installURL: installURLOf(config.installBaseURL, source.provider, integration) }
    : {};
}

/** Truncates to the hour, so that an otherwise unchanged status is not written every few minutes. */
function hourOf(now: Date): string {
  return new Date(Math.floor(now.getTime() / 3_600_000) * 3_600_000).toISOString();
}

function recordChange(
  deps: IntegrationDeps,
  integration: Integration,
  { type, status, reason, message }: Verdict,
): void {
  const good = type === "Stalled" ? status === "False" : status === "True";
  deps.log.info(
    { integration: integration.metadata.name, namespace: integration.metadata.namespace, type, status, reason },
    "condition changed",
  );
  deps.events.record(integration, { type: good ? "Normal" : "Warning", reason, message, action: "Reconcile" });
}
