import { names } from "../../api/annotations.ts";
import { askedWaitMs } from "../../integrations/errors.ts";
import type { Integration } from "../../integrations/types.ts";
import { updateStatus } from "../../kube/apply.ts";
import { addFinalizer } from "../../kube/finalizers.ts";
import { done, type Reconciler, type Result } from "../../kube/types.ts";
import { defined } from "../../shared/defined.ts";
import { moving, notInstalled, readiness, stalled, type Verdict } from "./conditions.ts";
import type { IntegrationDeps } from "./deps.ts";
import { finalize } from "./finalize.ts";
import { publishFacts } from "./gateway-facts.ts";
import type { Refusal } from "./gateway-routes.ts";
import { install, type InstallFacts, type Installation } from "./install.ts";
import { hasProven, keepKey } from "./keep-key.ts";
import { withPending } from "./key-plan.ts";
import { quotaUsedUp } from "./quota.ts";
import { recover } from "./recover.ts";
import { signIn, type SignedIn } from "./sign-in.ts";
import { stalledBy } from "./stalled.ts";
import { changed, lastTaskTime, triggersSince, withVerdicts } from "./status.ts";

/** So many the CRD takes: 256 repositories and some of former times that could not be removed. */
const maxHooks = 300;

/** Keeps integrations of one kind: credentials checked, keys published, hooks installed and repaired, everything removed at the end. */
export function integrationReconciler(deps: IntegrationDeps): Reconciler {
  return async (request, signal) => {
    const found = deps.source.get(request);
    if (!found) return done;
    if (found.metadata.deletionTimestamp !== undefined) return finalize(deps, found, signal);
    const integration = await addFinalizer(deps.client, deps.type, found, names.finalizer);
    return patiently(() => reconcile(deps, integration, signal));
  };
}

/** What a provider asked us to wait is kept; everything else backs off. */
async function patiently(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const requeueAfterMs = askedWaitMs(error);
    if (requeueAfterMs === undefined) throw error;
    return { requeueAfterMs };
  }
}

/** What one reconcile found out, to be written at its end. */
interface Outcome {
  /** As it is stored by now. */
  integration: Integration;
  verdicts: Verdict[];
  status: Record<string, unknown>;
  again: number;
}

async function reconcile(deps: IntegrationDeps, given: Integration, signal: AbortSignal): Promise<Result> {
  const outcome = await work(deps, given, signal);
  const { integration } = outcome;
  const full = await quotaUsedUp(deps.client, integration.metadata.namespace, signal);
  const found = outcome.verdicts.map((verdict) => (verdict === moving ? (full ?? moving) : verdict));
  const verdicts = [...found, readiness(found, integration.spec.suspend)];
  const now = deps.clock.now();
  const status = {
    ...integration.status,
    ...outcome.status,
    observedGeneration: integration.metadata.generation ?? 0,
    triggers: triggersSince(integration, now),
    ...defined({ lastTaskTime: lastTaskTime(integration, deps.tasks) }),
    conditions: withVerdicts(integration, verdicts, now),
  };
  await updateStatus(deps.client, deps.type, integration, status);
  for (const verdict of changed(integration, verdicts)) tell(deps, integration, verdict);
  return { requeueAfterMs: outcome.again };
}

async function work(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<Outcome> {
  const proof = (await hasProven(deps, integration, signal)) ? undefined : await signIn(deps, integration, signal);
  if (proof && !proof.connection) return outside(deps, integration, proof, signal);
  const published = await publish(deps, integration, signal);
  return finish(deps, published, proof ?? (await signIn(deps, integration, signal)), signal);
}

async function finish(
  deps: IntegrationDeps,
  { facts, status, refused, waits }: PublishedKeys,
  signedIn: SignedIn,
  signal: AbortSignal,
): Promise<Outcome> {
  const stuck = stalledBy(deps, facts.integration) ?? stalling(refused);
  if (stuck || !signedIn.connection) {
    const verdicts = [...signedIn.verdicts, notReached, stuck ?? moving];
    return {
      integration: facts.integration,
      verdicts,
      status: { ...status, ...signedIn.status },
      again: signedIn.again ?? soonest(deps),
    };
  }
  // Gateways tell a mention by the bot's name: they can know it before the hook brings the first.
  const introduced = { ...facts.integration.status, ...signedIn.status };
  const stored = await updateStatus(deps.client, deps.type, facts.integration, introduced);
  const hooks = await install(deps, signedIn.connection, facts, signal);
  // Somebody else's address gets nothing again.
  const foreign = hooks.verdict.reason === "ForeignHook";
  const recovered = foreign ? {} : await recover(deps, signedIn.connection, facts, signal);
  return {
    integration: stored,
    verdicts: [...signedIn.verdicts, refused ?? withPending(hooks.verdict, waits), signedIn.stuck ?? moving],
    status: { ...status, ...signedIn.status, ...hooksStatus(deps, facts, hooks), ...recovered },
    again: hooks.again ?? soonest(deps),
  };
}

function soonest({ config }: IntegrationDeps): number {
  return Math.min(config.resyncMs, config.recoveryMs);
}

/** Nothing of an App's hook is told to an integration that has not signed in with the App's key, and nothing is served for it. */
async function outside(
  deps: IntegrationDeps,
  integration: Integration,
  proof: SignedIn,
  signal: AbortSignal,
): Promise<Outcome> {
  // Before an edit its spec may have named a hook that was its own.
  await deps.keys.publish(signal);
  return {
    integration,
    verdicts: [...proof.verdicts, notReached, stalledBy(deps, integration) ?? moving],
    status: { ...proof.status, webhookURL: undefined, keyGeneration: undefined },
    again: proof.again ?? soonest(deps),
  };
}

const notReached = notInstalled(
  "NotReached",
  "hooks are looked at once the integration can sign in and nothing is stalled",
);

interface PublishedKeys {
  facts: InstallFacts;
  status: Record<string, unknown>;
  /** Why the integration, or its accepted key, is not served. */
  refused: Verdict | undefined;
  /** When the rotation begins that was asked for and has to wait, for people. */
  waits: string | undefined;
}

/** Route, keys and facts for the gateways, before anything is asked of the provider: deliveries that come are always verified. */
async function publish(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<PublishedKeys> {
  const { client, profiles, config } = deps;
  const { provider } = deps.source;
  const { secret, handled, refused, waits } = await keepKey(deps, integration, signal);
  if (refused !== undefined) {
    const message = `The webhook key was not rotated: ${refused}.`;
    deps.events.record(integration, { type: "Warning", reason: "RotationRefused", message, action: "Reconcile" });
  }
  await publishFacts({ client, namespace: config.namespace, profiles, provider }, integration, signal);
  const published = await deps.keys.publish(signal);
  const webhookURL = config.externalURL && `${config.externalURL}/hooks/${secret.route}`;
  const known = integration.status?.hooks ?? [];
  const refusal = published.refused.get(integration.metadata.uid ?? "");
  return {
    facts: { integration, secret, published: published.generation, url: webhookURL ?? "", known },
    // Stays until hooks were set to the new one: an App's hook that points there is known to be ours by it.
    status: defined({
      webhookURL: integration.status?.webhookURL ?? webhookURL,
      keyGeneration: secret.generation,
      lastHandledRotateAt: handled,
    }),
    refused: refusal && refusedVerdict(integration, refusal),
    waits,
  };
}

/** Where a person keeps the hook, its deliveries are signed with the accepted key alone; elsewhere a person has to mend the further key. */
function refusedVerdict({ spec }: Integration, { reason, message }: Refusal): Verdict {
  return spec.webhook.install === "Manual" ? notInstalled(reason, message) : stalled(reason, message);
}

function stalling(verdict: Verdict | undefined): Verdict | undefined {
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

/** Truncated to the hour, so that a status that says the same is not written every few minutes. */
function hourOf(now: Date): string {
  return new Date(Math.floor(now.getTime() / 3_600_000) * 3_600_000).toISOString();
}

function tell(deps: IntegrationDeps, integration: Integration, { type, status, reason, message }: Verdict): void {
  const good = type === "Stalled" ? status === "False" : status === "True";
  deps.log.info(
    { integration: integration.metadata.name, namespace: integration.metadata.namespace, type, status, reason },
    "condition changed",
  );
  deps.events.record(integration, { type: good ? "Normal" : "Warning", reason, message, action: "Reconcile" });
}
