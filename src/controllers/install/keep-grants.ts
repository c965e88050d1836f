import type { OAuthGrant } from "../../integrations/sign-in.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";
import type { InstallContext, InstallFlow } from "../../integrations/sign-in.ts";
import { describeError } from "../../shared/errors.ts";
import type { SignInDeps } from "../integration-handle.ts";
import { isForCondition, isTemporary } from "../provider-failure.ts";
import { secretReader } from "../secrets.ts";
import { changeGrantSecret, createGrantSecret, deleteGrantSecret, readGrantSecret } from "./grant-secret.ts";

/** A token is refreshed this long before it expires, or when a quarter of its life is left. */
const refreshAheadMs = 20 * 60_000;

/**
 * Keeps the grants of an integration in order, in the leading operator only: prepares the Secret for the pages, revokes and removes grants of
 * accounts that the spec does not allow any more, and refreshes tokens that expire soon. Throws `ApiError`.
 */
export async function keepGrants(
  deps: SignInDeps,
  provider: Provider,
  integration: Integration,
  signal: AbortSignal,
): Promise<void> {
  const { install: flow } = provider;
  const { uid } = integration.metadata;
  if (!flow || uid === undefined) return;
  const accounts = flow.accounts(integration);
  if (!accounts) return removeGrants(deps, { provider, integration, isFinal: false }, signal);
  await createGrantSecret(deps, uid, signal);
  const work: Work = { deps, flow, integration, uid };
  const { grants = [] } = (await readGrantSecret(deps, uid, signal)) ?? {};
  for (const grant of grants) {
    if (!accounts.includes(grant.account)) await remove(work, grant, signal);
    else if (isDue(grant, deps.clock.now())) await refresh(work, grant, signal);
  }
}

/**
 * Revokes all grants and deletes the Secret. If the provider does not answer, the Secret stays and the error is thrown, unless this is `isFinal`.
 * Then, and if the provider refuses, the token stays valid at the provider, and the log says so.
 */
export async function removeGrants(
  deps: SignInDeps,
  given: { provider: Provider; integration: Integration; isFinal: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { provider, integration, isFinal } = given;
  const { install: flow } = provider;
  const { uid } = integration.metadata;
  if (!flow || uid === undefined) return;
  const content = await readGrantSecret(deps, uid, signal);
  if (!content) return;
  for (const grant of content.grants) await revoke({ deps, flow, integration, uid }, { grant, isFinal }, signal);
  await deleteGrantSecret(deps, uid, signal);
}

interface Work {
  deps: SignInDeps;
  flow: InstallFlow;
  integration: Integration;
  uid: string;
}

async function remove(work: Work, grant: OAuthGrant, signal: AbortSignal): Promise<void> {
  const { deps, uid } = work;
  await revoke(work, { grant, isFinal: false }, signal);
  const without = (grants: readonly OAuthGrant[]) =>
    grants.filter(({ accessToken }) => accessToken !== grant.accessToken);
  await changeGrantSecret(deps, uid, (content) => ({ ...content, grants: without(content.grants) }), signal);
  deps.log.info(
    { ...nameOf(work), account: grant.account },
    "removed the grant of an account that is not allowed any more",
  );
}

async function revoke(
  work: Work,
  { grant, isFinal }: { grant: OAuthGrant; isFinal: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { deps, flow } = work;
  try {
    await flow.revoke(contextOf(work), grant, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isFinal && isTemporary(error)) throw error;
    const advice = "remove the app at the provider";
    deps.log.warn(
      { ...nameOf(work), account: grant.account, why: describeError(error), advice },
      "could not revoke a token",
    );
  }
}

/** Whether it is time to refresh: tokens that do not expire are never due. */
function isDue({ refreshToken, expiresAt, givenAt }: OAuthGrant, now: Date): boolean {
  if (refreshToken === undefined || expiresAt === undefined) return false;
  const endMs = Date.parse(expiresAt);
  const aheadMs = Math.max(refreshAheadMs, (endMs - Date.parse(givenAt)) / 4);
  return now.getTime() >= endMs - aheadMs;
}

/**
 * The refresh token can be used once, so only the leading operator uses it, and the answer is stored before anything else. If somebody installed
 * the app meanwhile, the grant of that installation stays. A refused refresh is noted in the grant; the old token works until it expires.
 */
async function refresh(work: Work, grant: OAuthGrant, signal: AbortSignal): Promise<void> {
  const { deps, flow } = work;
  const { refreshToken = "", account } = grant;
  try {
    const next = await flow.refresh(contextOf(work), { ...grant, refreshToken }, signal);
    await replace(work, grant, next);
    deps.log.info({ ...nameOf(work), account, expiresAt: next.expiresAt }, "refreshed a token");
  } catch (error) {
    signal.throwIfAborted();
    if (!isForCondition(error)) throw error;
    deps.log.warn({ ...nameOf(work), account, why: describeError(error) }, "could not refresh a token, will retry");
    if (grant.refreshProblem !== error.message) await replace(work, grant, { ...grant, refreshProblem: error.message });
  }
}

/** Without the signal: an answer that is not stored is lost, and with it the access. */
async function replace({ deps, uid }: Work, grant: OAuthGrant, next: OAuthGrant): Promise<void> {
  const isOld = ({ account, refreshToken }: OAuthGrant): boolean =>
    account === grant.account && refreshToken === grant.refreshToken;
  await changeGrantSecret(deps, uid, (content) => ({
    ...content,
    grants: content.grants.map((each) => (isOld(each) ? next : each)),
  }));
}

function contextOf({ deps, integration }: Work): InstallContext {
  const { client, clock, log, fetch } = deps;
  return { integration, deps: { clock, log, fetch, readSecret: secretReader(client, integration.metadata.namespace) } };
}

function nameOf({ integration: { metadata } }: Work): { namespace: string; integration: string } {
  return { namespace: metadata.namespace, integration: metadata.name };
}
