import type { SecretKeyRef } from "../api/common.ts";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";
import type { Integration } from "./integration.ts";

/** Dependencies of `connect`. */
export interface ConnectDeps {
  /**
   * Reads a Secret whose annotation `bellhop.dev/allowed-for` permits this purpose. Throws `BellhopError` with a condition reason
   * otherwise.
   */
  readSecret(ref: SecretKeyRef, purpose: { kind: string; host: string }): Promise<Uint8Array>;
  /** The grants of the install flow, as far as the integration's spec still allows their accounts; empty if the flow is not used. */
  readGrants(): Promise<readonly OAuthGrant[]>;
  clock: Clock;
  log: Logger;
  /** `fetch` through the shared dispatcher: proxy, CA, time-outs, circuit breaker, redaction, private ranges refused. */
  fetch: typeof fetch;
}

/** The access that a provider gave to one account (a workspace, an organisation, a site), with its tokens. */
export interface OAuthGrant {
  /** The provider's id of the account that was installed. */
  account: string;
  /** Its human-readable name; untrusted. */
  name: string;
  accessToken: string;
  /** For tokens that expire: exchanged for the next ones, once. */
  refreshToken?: string | undefined;
  /** When the access token expires, RFC 3339; absent if it does not. */
  expiresAt?: string | undefined;
  /** When the access token was given, RFC 3339. */
  givenAt: string;
  /** Human-readable: why the token could not be refreshed the last time. */
  refreshProblem?: string | undefined;
}

/**
 * The install flow of a provider (OAuth 2.0, authorization code): a person grants access at the provider, in their browser. The shared code serves
 * the pages, checks the state, stores the grants, refreshes and revokes them. The functions with a signal throw `BellhopError`.
 */
export interface InstallFlow<I extends Integration = Integration> {
  /** The accounts that the integration's spec allows to install it; undefined if its credentials do not come from the flow. Pure. */
  accounts(integration: I): readonly string[] | undefined;
  /** The path of that list in the spec, for messages. */
  accountsPath: string;
  /** The page of the provider at which people grant access. It sends the browser back to `redirectURL` with `state` and a code. Pure. */
  authorizeURL(integration: I, request: { state: string; redirectURL: string }): string;
  /** Exchanges the code that the browser brought back. A code can be exchanged once. */
  exchange(
    context: InstallContext<I>,
    request: { code: string; redirectURL: string },
    signal: AbortSignal,
  ): Promise<OAuthGrant>;
  /** Exchanges the refresh token for the next tokens. Afterwards the old ones may be worthless, so the answer must be stored. */
  refresh(
    context: InstallContext<I>,
    grant: OAuthGrant & { refreshToken: string },
    signal: AbortSignal,
  ): Promise<OAuthGrant>;
  /** Makes the tokens worthless at the provider. Tokens that are so already count as success. */
  revoke(context: InstallContext<I>, grant: OAuthGrant, signal: AbortSignal): Promise<void>;
}

/** The client of an authorisation server: the integration, and what a sign-in gets. */
export interface InstallContext<I extends Integration = Integration> {
  integration: I;
  deps: Pick<ConnectDeps, "readSecret" | "fetch" | "clock" | "log">;
}
