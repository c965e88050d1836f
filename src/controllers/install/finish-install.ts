import { names } from "../../api/annotations.ts";
import type { OAuthGrant } from "../../integrations/sign-in.ts";
import { integrationType } from "../../integrations/resource-type.ts";
import type { Integration } from "../../integrations/integration.ts";
import { BellhopError, describeError } from "../../shared/errors.ts";
import { isForCondition } from "../provider-failure.ts";
import { changeGrantSecret, type GrantSecret, type UsedState } from "./grant-secret.ts";
import { checkState } from "./state.ts";
import { contentOf, contextOf, targetOf, type InstallDeps, type InstallRequest, type Target } from "./target.ts";

/** States of one integration that may be in use at a time; each lives ten minutes. */
const maxUsedStates = 1_000;

/** Parameters that the provider sent back with the browser; untrusted. */
export interface BroughtBack {
  state: string | undefined;
  code: string | undefined;
  error: string | undefined;
}

/**
 * Ends an installation: checks the state against the cookie, records it as used, exchanges the code, and stores the grant if the spec allows the
 * account. Throws `BellhopError`; besides the codes of `beginInstall` `StateMismatch`, `StateExpired`, `StateUsed`, `Declined`, `CodeMissing`,
 * `TooManyInstalls`, `AccountNotAllowed`, `IntegrationGone`, those of a sign-in, and those of the provider.
 */
export async function finishInstall(
  deps: InstallDeps,
  request: InstallRequest & BroughtBack,
  signal: AbortSignal,
): Promise<{ account: string; name: string }> {
  const target = targetOf(deps, request);
  const used = requireState(deps, await contentOf(deps, target, signal), target, request);
  if (request.error !== undefined) throw declined(request.error);
  const { code } = request;
  if (code === undefined || code === "") throw new BellhopError("CodeMissing", "The provider sent no code back.");
  if (!deps.mayExchange()) throw tooMany("Try again in a minute.");
  const record = (content: GrantSecret): GrantSecret => withUsed(content, used, deps.clock.now());
  const { grants: before } = await changeGrantSecret(deps, target.uid, record, signal);
  const grant = await exchange(deps, target, code, signal);
  await keep(deps, target, { grant, before }, signal);
  return { account: grant.account, name: grant.name };
}

async function exchange(deps: InstallDeps, target: Target, code: string, signal: AbortSignal): Promise<OAuthGrant> {
  const { flow, integration, redirectURL } = target;
  try {
    return await flow.exchange(contextOf(deps, integration), { code, redirectURL }, signal);
  } catch (error) {
    const message = `The app could not be installed: ${describeError(error)}`;
    if (isForCondition(error)) record(deps, integration, { type: "Warning", reason: "InstallFailed", message });
    throw error;
  }
}

function requireState(
  deps: InstallDeps,
  { stateKey, usedStates }: GrantSecret,
  { uid }: Target,
  { state = "", browser = "" }: InstallRequest & BroughtBack,
): UsedState {
  const verdict = checkState(stateKey, { uid, browser }, state, deps.clock.now());
  if (verdict.ok) {
    requireUnused(usedStates, verdict.id);
    return { id: verdict.id, until: verdict.until };
  }
  if (verdict.reason === "Expired")
    throw new BellhopError("StateExpired", "This took more than ten minutes. Nothing was installed.");
  throw new BellhopError(
    "StateMismatch",
    "This installation was not begun in this browser, or the browser keeps no cookies. Nothing was installed.",
  );
}

function requireUnused(usedStates: readonly UsedState[], id: string): void {
  if (usedStates.some((used) => used.id === id))
    throw new BellhopError("StateUsed", "This page was opened before, and works once.");
}

/** Runs again if another replica changed the Secret, so of two requests with the same state one is refused. */
function withUsed(content: GrantSecret, used: UsedState, now: Date): GrantSecret {
  const usedStates = content.usedStates.filter(({ until }) => Date.parse(until) > now.getTime());
  requireUnused(usedStates, used.id);
  if (usedStates.length >= maxUsedStates) throw tooMany("Try again in ten minutes.");
  return { ...content, usedStates: [...usedStates, used] };
}

function tooMany(advice: string): BellhopError {
  return new BellhopError("TooManyInstalls", `There were too many installations. ${advice}`, { retryable: true });
}

function declined(error: string): BellhopError {
  if (error === "access_denied")
    return new BellhopError("Declined", "Access was declined at the provider. Nothing was installed.");
  const said = /^[a-z0-9_.-]{1,64}$/i.test(error) ? error : "an error that is not readable";
  return new BellhopError("Declined", `The provider did not grant access: ${said}. Nothing was installed.`);
}

/** Stores the grant, or revokes it if it is not wanted: a token that nobody knows would stay valid. */
async function keep(
  deps: InstallDeps,
  target: Target,
  { grant, before }: { grant: OAuthGrant; before: readonly OAuthGrant[] },
  signal: AbortSignal,
): Promise<void> {
  const { integration, accounts, flow, provider, uid } = target;
  if (!accounts.includes(grant.account)) {
    await revoke(deps, target, grant, signal);
    const { namespace, name } = integration.metadata;
    const message =
      `${grant.name} (${grant.account}) is not in ${flow.accountsPath} of ${provider.kind} ${namespace}/${name}, ` +
      `so its token was revoked and not stored. To allow it, add ${grant.account} there, and install again.`;
    record(deps, integration, { type: "Warning", reason: "InstallRefused", message });
    throw new BellhopError("AccountNotAllowed", message);
  }
  try {
    await changeGrantSecret(deps, uid, (content) => withGrant(content, grant), signal);
  } catch (error) {
    // A provider may give an app that is installed again the token that it had: that one is in use.
    const isInUse = before.some(({ accessToken }) => accessToken === grant.accessToken);
    if (!isInUse) await revoke(deps, target, grant, signal);
    throw error;
  }
  const message = `Installed in ${grant.name} (${grant.account}).`;
  record(deps, integration, { type: "Normal", reason: "Installed", message });
  await notify(deps, target, signal);
}

function withGrant(content: GrantSecret, grant: OAuthGrant): GrantSecret {
  return { ...content, grants: [...content.grants.filter(({ account }) => account !== grant.account), grant] };
}

async function revoke(
  deps: InstallDeps,
  { flow, integration }: Target,
  grant: OAuthGrant,
  signal: AbortSignal,
): Promise<void> {
  try {
    await flow.revoke(contextOf(deps, integration), grant, signal);
  } catch (error) {
    const { namespace, name } = integration.metadata;
    const { account } = grant;
    const advice = "remove the app at the provider";
    deps.log.warn(
      { namespace, integration: name, account, why: describeError(error), advice },
      "could not revoke a token",
    );
  }
}

function record(
  { events, log }: InstallDeps,
  integration: Integration,
  { type, reason, message }: { type: "Normal" | "Warning"; reason: string; message: string },
): void {
  const { namespace, name } = integration.metadata;
  log.info({ namespace, integration: name, reason, why: message }, "install flow ended");
  events.record(integration, { type, reason, message, action: "Install" });
}

/** The leading operator, which may be another replica, reconciles the integration at once. Without the annotation it finds the grant at its next check. */
async function notify(
  { client, clock, log }: InstallDeps,
  { provider, integration }: Target,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = integration.metadata;
  const annotations = { [names.installedAt]: clock.now().toISOString() };
  try {
    await client.mergePatch(integrationType(provider), { namespace, name }, { metadata: { annotations } }, { signal });
  } catch (error) {
    log.warn({ namespace, integration: name, why: describeError(error) }, "could not note an installation");
  }
}
