import { isDeepStrictEqual } from "node:util";
import type { Connection, DesiredHooks, TargetFailure } from "../../integrations/connection.ts";
import { askedWaitMs, combined, isProviderFailure } from "../../integrations/errors.ts";
import type { Integration } from "../../integrations/types.ts";
import { ApiError } from "../../kube/errors.ts";
import { describeError } from "../../shared/errors.ts";
import { installed, notInstalled, type Verdict } from "./conditions.ts";
import type { IntegrationDeps } from "./deps.ts";
import { behind } from "./gateways.ts";
import { hookSecretName, writeHookSecret, type HookSecret } from "./hook-secret.ts";
import { afterInstall, hasKey } from "./keyed.ts";
import { keeperOf, ownsHook } from "./members.ts";

/** A hook as the status has it; `verifiedAt` only where it was not seen to be right just now. */
export type KnownHook = NonNullable<NonNullable<Integration["status"]>["hooks"]>[number];

/** What became of the hooks. */
export interface Installation {
  verdict: Verdict;
  hooks?: KnownHook[];
  /** Hooks are not known to have today's address. */
  elsewhere?: boolean;
  /** Look again this soon: something is under way. */
  again?: number;
}

/** What installing starts from. */
export interface InstallFacts {
  integration: Integration;
  secret: HookSecret;
  /** Generation of the published keys that has this secret. */
  published: number;
  url: string;
  known: KnownHook[];
}

const againMs = 5_000;
const tryAgainMs = 15_000;
/** So many targets are named in a message. */
const maxNamed = 5;

/** Installs or repairs hooks; a new key reaches the provider only when every gateway replica has it. */
export async function install(
  deps: IntegrationDeps,
  connection: Connection,
  facts: InstallFacts,
  signal: AbortSignal,
): Promise<Installation> {
  const { integration, secret } = facts;
  if (integration.spec.webhook.install === "Manual") {
    return byHand(deps, connection, facts, signal);
  }
  if (!connection.installer)
    return { verdict: notInstalled("NotSupported", "this provider has no hooks to install"), hooks: [] };
  if (!ownsHook(deps.source, facts)) return sharedWith(deps, facts);
  const rewriteSecret = secret.installed < secret.generation;
  const late = rewriteSecret ? behind(await deps.gateways.generations(signal), facts.published) : undefined;
  if (late !== undefined) return { ...held(secret, late), again: againMs };
  return ensure(deps, connection, { ...facts, rewriteSecret }, signal);
}

/** Where a person takes over, hooks of ours go: by their id, since the person's own has the same address. */
async function byHand(
  deps: IntegrationDeps,
  connection: Connection,
  { integration, secret, known, url }: InstallFacts,
  signal: AbortSignal,
): Promise<Installation> {
  const message = `A person keeps the hook; it must deliver to ${url}.`;
  if (known.length === 0) return { verdict: installed("Manual", message), hooks: [] };
  let stay: readonly string[] = [];
  try {
    ({ left: stay = [] } = (await connection.installer?.remove(known, [], signal)) ?? {});
  } catch (error) {
    if (isProviderFailure(error, "RateLimited", "Unavailable")) throw error;
    const left = `Hooks that Bellhop made are left; remove them at the provider: ${describeError(error)}`;
    return { verdict: installed("HooksLeftBehind", `${message} ${left}`), hooks: known };
  }
  // Should we install again one day, what is there then was not signed by us.
  await remember(deps, integration, { ...unsigned(secret), installedAt: deps.clock.now().toISOString() }, signal);
  const gone =
    stay.length === 0
      ? `Hooks that Bellhop made were removed. ${message}`
      : `${message} The hook of ${stay.join(", ")} cannot be removed and has Bellhop's key: set the key of spec.webhook.acceptedKeysRef there.`;
  return { verdict: installed("Manual", gone), hooks: [] };
}

/** What the keeper of the hook has come to holds for all that share it. */
function sharedWith(deps: IntegrationDeps, facts: InstallFacts): Installation {
  // It is found again by the address that its keeper gave it.
  const elsewhere = facts.secret.url !== facts.url;
  const stands = facts.secret.installed > 0 && !elsewhere;
  return { verdict: sharedVerdict(keeperOf(deps.source, facts), stands), hooks: [], elsewhere };
}

/** A hook that stands goes on delivering for all, whatever keeps its keeper from looking after it. */
function sharedVerdict(keeper: Integration | undefined, stands: boolean): Verdict {
  const kept = keptBy(keeper);
  const its = keeper?.status?.conditions?.find(({ type }) => type === "WebhookInstalled");
  const { status, reason, message = "it has not come to it yet" } = its ?? {};
  if (status === "True") return installed("SharedHook", `The one hook is ${kept}.`);
  if (stands && reason === "NotReached") {
    return installed("SharedHook", `The one hook is ${kept}, which cannot look after it now: ${message}.`);
  }
  return notInstalled("SharedHook", `the one hook is ${kept}, which has not installed it: ${message}`);
}

function keptBy(keeper: Integration | undefined): string {
  return `kept by the oldest integration that shares it, ${keeper?.metadata.namespace}/${keeper?.metadata.name}`;
}

function held(secret: HookSecret, late: string): Installation {
  const message = `the new webhook key waits until every gateway replica has it: ${late}`;
  return {
    verdict: secret.installed > 0 ? installed("GatewayBehind", message) : notInstalled("GatewayBehind", message),
  };
}

type Ensured = InstallFacts & { rewriteSecret: boolean };

async function ensure(
  deps: IntegrationDeps,
  connection: Connection,
  facts: Ensured,
  signal: AbortSignal,
): Promise<Installation> {
  const { integration, secret, url } = facts;
  try {
    const { hooks = [], failures = [] } = (await connection.installer?.ensure(desiredOf(facts), signal)) ?? {};
    const left = unreached(facts, failures);
    const keyed = afterInstall(secret, { done: hooks, left }, deps.clock.now());
    const after = failures.length > 0 ? keyed : { ...keyed, url };
    if (!isDeepStrictEqual(after, secret)) await remember(deps, integration, after, signal);
    if (failures.length > 0) return partly(facts, { hooks, failures, left });
    return { verdict: installed("Installed", `${described(hooks)} to ${url}.`), hooks };
  } catch (error) {
    const verdict = refusedByProvider(error);
    if (verdict.reason === "ForeignHook") await forget(deps, facts, signal);
    return { verdict };
  }
}

/** Whoever gave the hook another address may have given it another secret. */
async function forget(deps: IntegrationDeps, { integration, secret }: Ensured, signal: AbortSignal): Promise<void> {
  if (secret.installed > 0) await remember(deps, integration, unsigned(secret), signal);
}

/** No hook is known to sign with our key. */
function unsigned({ keyed: _keyed, ...secret }: HookSecret): HookSecret {
  return { ...secret, installed: 0 };
}

/** What passes is thrown again; a conflict over the hook Secret is nothing that the provider said. */
function refusedByProvider(error: unknown): Verdict {
  if (error instanceof ApiError || isProviderFailure(error, "RateLimited", "Unavailable")) throw error;
  const reason = isProviderFailure(error, "ForeignHook") ? "ForeignHook" : "InstallFailed";
  return notInstalled(reason, describeError(error));
}

function desiredOf({ integration, secret, url, known, rewriteSecret }: Ensured): DesiredHooks {
  const { takeOver } = integration.spec.webhook;
  const formerURL = secret.url ?? integration.status?.webhookURL;
  const each = known.map((hook) => ({ ...hook, hasSecret: hasKey(secret, hook.target) }));
  return { url, formerURL, secret: secret.current, known: each, takeOver, rewriteSecret };
}

/** Hooks of ours that stand where we could not look. */
function unreached({ known }: InstallFacts, failures: readonly TargetFailure[]): KnownHook[] {
  const failed = new Set(failures.map(({ target }) => target));
  return known.filter(({ target }) => failed.has(target));
}

/** Some hooks stand, some do not: all that are known stay in the status, so that the finalizer finds them. */
function partly(
  { integration, url }: InstallFacts,
  { hooks, failures, left }: { hooks: KnownHook[]; failures: TargetFailure[]; left: KnownHook[] },
): Installation {
  const all = [...hooks, ...left];
  const error = combined(failures.map((failure) => failure.error));
  const before = integration.status?.conditions?.find(({ type }) => type === "WebhookInstalled");
  // Nothing is unsaid for a pause; of a hook that never stood there is nothing to unsay.
  const known = left.length === failures.length && before?.status === "True";
  const passing = known && failures.every((failure) => failure.error.retryable);
  return {
    verdict: passing
      ? installed("Installed", `${described(all)} to ${url}; not looked at for a pause: ${named(left)}.`)
      : notInstalled("InstallFailed", error.message),
    hooks: all,
    ...(error.retryable ? { again: askedWaitMs(error) ?? tryAgainMs } : {}),
  };
}

/** Few by their names, many by their number: `status.hooks` has them all. */
function described(hooks: readonly { target: string }[]): string {
  if (hooks.length > maxNamed) return `${hooks.length} hooks deliver`;
  return `${named(hooks)} ${hooks.length === 1 ? "delivers" : "deliver"}`;
}

function named(hooks: readonly { target: string }[]): string {
  return hooks.length > maxNamed ? `${hooks.length} of them` : hooks.map(({ target }) => target).join(", ");
}

async function remember(
  deps: IntegrationDeps,
  integration: Integration,
  secret: HookSecret,
  signal: AbortSignal,
): Promise<void> {
  const stored = { secret, ownerUID: integration.metadata.uid ?? "" };
  const where = { client: deps.client, namespace: deps.config.namespace };
  await writeHookSecret(where, hookSecretName(deps.source.provider, integration), stored, signal);
}
