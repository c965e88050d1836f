import { isDeepStrictEqual } from "node:util";
import type { Connection, DesiredHooks, TargetFailure } from "../../integrations/connection.ts";
import { combined, isProviderFailure } from "../../integrations/errors.ts";
import type { Integration } from "../../integrations/integration.ts";
import { ApiError } from "../../kube/errors.ts";
import { describeError } from "../../shared/errors.ts";
import { isTemporary, retryWaitMs } from "../provider-failure.ts";
import type { IntegrationDeps } from "./deps.ts";
import { behind } from "./gateways.ts";
import { hookSecretName, writeHookSecret, type HookSecret } from "./hook-secret.ts";
import { afterInstall, hasKey } from "./keep-key.ts";
import { keeperOf, ownsHook } from "./members.ts";
import { socketVerdict } from "./socket.ts";
import { installed, notInstalled, type Verdict } from "./status.ts";

/** A hook as in the status; without `verifiedAt` if it was verified just now. */
export type KnownHook = NonNullable<NonNullable<Integration["status"]>["hooks"]>[number];

/** Results of an installation. */
export interface Installation {
  verdict: Verdict;
  hooks?: KnownHook[];
  /** Whether the hooks may still have another URL than the current one. */
  elsewhere?: boolean;
  /** Retry after this time: the installation is not complete. */
  retryMs?: number;
}

/** Facts that an installation needs. */
export interface InstallFacts {
  integration: Integration;
  secret: HookSecret;
  /** Generation of the published keys that contains this secret. */
  published: number;
  url: string;
  known: KnownHook[];
}

const gatewayPollMs = 5_000;
/** A message names at most this many targets. */
const maxNamed = 5;

/** Installs or repairs hooks; a new key reaches the provider only when every gateway replica has it. */
export async function install(
  deps: IntegrationDeps,
  connection: Connection,
  facts: InstallFacts,
  signal: AbortSignal,
): Promise<Installation> {
  const { integration, secret } = facts;
  const socket = deps.source.provider.ingress.socket?.settings(integration);
  if (socket) {
    const report = { lease: deps.socketLease(), uid: integration.metadata.uid ?? "", name: socket.name };
    return { verdict: socketVerdict(report, deps.clock.now()), hooks: [], elsewhere: true };
  }
  if (deps.source.provider.ingress.webhook(integration).install === "Manual") {
    return removeForManual(deps, connection, facts, signal);
  }
  if (!connection.hooks)
    return {
      verdict: notInstalled(
        "NotSupported",
        "Bellhop cannot install hooks at this provider; create the hook there and set spec.webhook.install to Manual",
      ),
      hooks: [],
    };
  if (!ownsHook(deps.source, facts)) return sharedWith(deps, facts);
  const rewriteSecret = secret.installed < secret.generation;
  const late = rewriteSecret ? behind(await deps.gateways.generations(signal), facts.published) : undefined;
  if (late !== undefined) return { ...delayed(secret, late), retryMs: gatewayPollMs };
  return ensure(deps, connection, { ...facts, rewriteSecret }, signal);
}

/** If the hook is managed manually, removes our hooks: by their id, because the manual hook has the same URL. */
async function removeForManual(
  deps: IntegrationDeps,
  connection: Connection,
  { integration, secret, known, url }: InstallFacts,
  signal: AbortSignal,
): Promise<Installation> {
  const { manually, acceptedKeysPath } = deps.source.provider.ingress.webhook(integration);
  const message = `${manually.slice(0, 1).toUpperCase()}${manually.slice(1)}; it must deliver to ${url}.`;
  if (known.length === 0) return { verdict: installed("Manual", message), hooks: [] };
  let remaining: readonly string[] = [];
  try {
    ({ left: remaining = [] } = (await connection.hooks?.remove(known, [], signal)) ?? {});
  } catch (error) {
    if (isTemporary(error)) throw error;
    const left = `Could not remove the hooks that Bellhop created; remove them at the provider: ${describeError(error)}`;
    return { verdict: installed("HooksLeftBehind", `${message} ${left}`), hooks: known };
  }
  // After a later switch back to Auto, existing hooks must not count as signed with our key.
  await storeSecret(deps, integration, { ...unsigned(secret), installedAt: deps.clock.now().toISOString() }, signal);
  const gone =
    remaining.length === 0
      ? `Removed the hooks that Bellhop created. ${message}`
      : `${message} The hook of ${remaining.join(", ")} cannot be removed and still has Bellhop's key: set it to the key of ${acceptedKeysPath} at the provider.`;
  return { verdict: installed("Manual", gone), hooks: [] };
}

/** The state of a shared hook, as its keeper (the integration that installs it) reports it. */
function sharedWith(deps: IntegrationDeps, facts: InstallFacts): Installation {
  // Its keeper recognises the hook by the URL that it set.
  const elsewhere = facts.secret.url !== facts.url;
  const stands = facts.secret.installed > 0 && !elsewhere;
  return { verdict: sharedVerdict(keeperOf(deps.source, facts), stands), hooks: [], elsewhere };
}

/** An installed hook keeps delivering for all, even if its keeper cannot check it at the moment. */
function sharedVerdict(keeper: Integration | undefined, stands: boolean): Verdict {
  const kept = keptBy(keeper);
  const its = keeper?.status?.conditions?.find(({ type }) => type === "WebhookInstalled");
  const { status, reason, message = "it has not been reconciled yet" } = its ?? {};
  if (status === "True") return installed("SharedHook", `The shared hook is ${kept}.`);
  if (stands && reason === "NotReached") {
    return installed("SharedHook", `The shared hook is ${kept}, which cannot check it now: ${message}.`);
  }
  return notInstalled("SharedHook", `the shared hook is ${kept}, which has not installed it: ${message}`);
}

function keptBy(keeper: Integration | undefined): string {
  return `managed by the oldest integration that shares it, ${keeper?.metadata.namespace}/${keeper?.metadata.name}`;
}

function delayed(secret: HookSecret, late: string): Installation {
  const message = `the new webhook key is not used until every gateway replica has loaded it: ${late}`;
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
    const { hooks = [], failures = [] } = (await connection.hooks?.ensure(desiredOf(deps, facts), signal)) ?? {};
    const left = unreached(facts, failures);
    const keyed = afterInstall(secret, { done: hooks, left }, deps.clock.now());
    const after = failures.length > 0 ? keyed : { ...keyed, url };
    if (!isDeepStrictEqual(after, secret)) await storeSecret(deps, integration, after, signal);
    if (failures.length > 0) return partlyInstalled(facts, { hooks, failures, left });
    return { verdict: installed("Installed", `${described(hooks)} to ${url}.`), hooks };
  } catch (error) {
    const verdict = refusedByProvider(error);
    if (verdict.reason === "ForeignHook") await forgetInstalledKey(deps, facts, signal);
    return { verdict };
  }
}

/** A hook whose URL somebody else changed may have another secret too. */
async function forgetInstalledKey(
  deps: IntegrationDeps,
  { integration, secret }: Ensured,
  signal: AbortSignal,
): Promise<void> {
  if (secret.installed > 0) await storeSecret(deps, integration, unsigned(secret), signal);
}

/** No hook is known to sign with our key. */
function unsigned({ keyed: _keyed, ...secret }: HookSecret): HookSecret {
  return { ...secret, installed: 0 };
}

/** Temporary failures are thrown again, and so are errors of the API server, such as a conflict on the hook Secret. */
function refusedByProvider(error: unknown): Verdict {
  if (error instanceof ApiError || isTemporary(error)) throw error;
  const reason = isProviderFailure(error, "ForeignHook") ? "ForeignHook" : "InstallFailed";
  return notInstalled(reason, describeError(error));
}

function desiredOf(
  { source }: IntegrationDeps,
  { integration, secret, url, known, rewriteSecret }: Ensured,
): DesiredHooks {
  const { takeOver } = source.provider.ingress.webhook(integration);
  const formerURL = secret.url ?? integration.status?.webhookURL;
  const each = known.map((hook) => ({ ...hook, hasSecret: hasKey(secret, hook.target) }));
  return { url, formerURL, secret: secret.current, known: each, takeOver, rewriteSecret };
}

/** Our hooks at targets that could not be reached. */
function unreached({ known }: InstallFacts, failures: readonly TargetFailure[]): KnownHook[] {
  const failed = new Set(failures.map(({ target }) => target));
  return known.filter(({ target }) => failed.has(target));
}

/** Some targets failed: all known hooks stay in the status, so that the finalizer finds them. */
function partlyInstalled(
  { integration, url }: InstallFacts,
  { hooks, failures, left }: { hooks: KnownHook[]; failures: TargetFailure[]; left: KnownHook[] },
): Installation {
  const all = [...hooks, ...left];
  const error = combined(failures.map((failure) => failure.error));
  const before = integration.status?.conditions?.find(({ type }) => type === "WebhookInstalled");
  // A temporary outage does not turn True into False, if every failed target had a hook of ours.
  const known = left.length === failures.length && before?.status === "True";
  const temporary = known && failures.every((failure) => failure.error.retryable);
  return {
    verdict: temporary
      ? installed(
          "Installed",
          `${described(all)} to ${url}; not checked because of a temporary failure: ${named(left)}.`,
        )
      : notInstalled("InstallFailed", error.message),
    hooks: all,
    ...(error.retryable ? { retryMs: retryWaitMs(error) } : {}),
  };
}

/** Names a few hooks, counts many: `status.hooks` lists all of them. */
function described(hooks: readonly { target: string }[]): string {
  if (hooks.length > maxNamed) return `${hooks.length} hooks deliver`;
  return `${named(hooks)} ${hooks.length === 1 ? "delivers" : "deliver"}`;
}

function named(hooks: readonly { target: string }[]): string {
  return hooks.length > maxNamed ? `${hooks.length} of them` : hooks.map(({ target }) => target).join(", ");
}

async function storeSecret(
  deps: IntegrationDeps,
  integration: Integration,
  secret: HookSecret,
  signal: AbortSignal,
): Promise<void> {
  const stored = { secret, ownerUID: integration.metadata.uid ?? "" };
  const where = { client: deps.client, namespace: deps.config.namespace };
  await writeHookSecret(where, hookSecretName(deps.source.provider, integration), stored, signal);
}
