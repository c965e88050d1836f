import type { SlackApp } from "../../api/slack-app.ts";
import { BellhopError } from "../../shared/errors.ts";
import { secretRegistry } from "../../shared/redact.ts";
import { isProviderFailure, ProviderError } from "../errors.ts";
import type { OAuthGrant } from "../sign-in.ts";
import type { InstallContext, InstallFlow } from "../sign-in.ts";
import { slackClient, type SlackClient } from "./client.ts";
import { required } from "./required.ts";
import { host } from "./scope.ts";

/**
 * The install flow of Slack. A grant belongs to a workspace, or to an Enterprise Grid organisation if the app is installed for all of it. Source:
 * Slack, "Installing with OAuth" and "Using token rotation".
 */
export const install: InstallFlow<SlackApp> = {
  accounts: ({ spec }) => spec.credentials.oauth?.workspaces,
  accountsPath: "spec.credentials.oauth.workspaces",
  authorizeURL: (integration, { state, redirectURL }) => {
    const url = new URL("/oauth/v2/authorize", integration.spec.url);
    url.searchParams.set("client_id", oauthOf(integration).clientId);
    url.searchParams.set("scope", required(integration).scopes.join(","));
    url.searchParams.set("redirect_uri", redirectURL);
    url.searchParams.set("state", state);
    return url.href;
  },
  exchange: async (context, { code, redirectURL }, signal) => {
    secretRegistry.add(code);
    const args = { code, redirect_uri: redirectURL, ...(await clientOf(context)) };
    return grantOf(context, await access(context, { doing: "exchange the code of the installation", args }, signal));
  },
  refresh: async (context, { account, name, refreshToken }, signal) => {
    const args = { grant_type: "refresh_token", refresh_token: refreshToken, ...(await clientOf(context)) };
    const next = grantOf(context, await access(context, { doing: `refresh the token of ${account}`, args }, signal));
    if (next.account !== account)
      throw new ProviderError("Invalid", `cannot refresh the token of ${account}: Slack answered for ${next.account}`);
    return { ...next, name: next.name === next.account ? name : next.name };
  },
  revoke: async (context, { account, accessToken }, signal) => {
    if (await isInSecret(context, accessToken)) return;
    try {
      const call = { doing: `revoke the token of ${account}`, method: "auth.revoke", args: {} } as const;
      await anonymous(context, accessToken).call(call, signal);
    } catch (error) {
      if (!isProviderFailure(error, "Unauthorized", "Suspended")) throw error;
    }
  },
};

/**
 * Whether the team uses this token from a Secret now. Without token rotation, Slack has one bot token for each app and workspace, so a team that
 * changes from the install flow to a Secret may store the token that the flow had.
 */
async function isInSecret({ integration, deps }: InstallContext<SlackApp>, token: string): Promise<boolean> {
  const ref = integration.spec.credentials.botTokenSecretRef;
  if (!ref) return false;
  const stored = await deps.readSecret(ref, { kind: "SlackApp", host: host(integration) });
  return Buffer.from(stored).toString("utf8").trim() === token;
}

/** Answers of `oauth.v2.access`; the fields that we use. */
interface Access {
  access_token?: string;
  token_type?: string;
  refresh_token?: string;
  expires_in?: number;
  team?: { id?: string; name?: string } | null;
  enterprise?: { id?: string; name?: string } | null;
  is_enterprise_install?: boolean;
}

function access(
  context: InstallContext<SlackApp>,
  { doing, args }: { doing: string; args: Record<string, string> },
  signal: AbortSignal,
): Promise<Access> {
  return anonymous(context).call<Access>({ doing, method: "oauth.v2.access", args }, signal);
}

/** Every call has a client of its own, because calls are rare and their tokens differ. */
function anonymous({ integration, deps }: InstallContext<SlackApp>, token?: string): SlackClient {
  const settings = { ...deps, url: integration.spec.url, host: host(integration), throttle: false };
  return slackClient(settings, token);
}

function grantOf({ integration, deps }: InstallContext<SlackApp>, answer: Access): OAuthGrant {
  const { access_token: accessToken = "", refresh_token: refreshToken, expires_in: seconds } = answer;
  for (const secret of [accessToken, refreshToken ?? ""]) secretRegistry.add(secret);
  const { account, name } = accountOf(answer);
  if (answer.token_type !== "bot" || accessToken === "" || account === "") {
    const message = `cannot install the app: ${host(integration)} gave a token of the type ${String(answer.token_type)}`;
    throw new ProviderError("Invalid", `${message}. Use the manifest that make slack-manifest prints.`);
  }
  const givenAt = deps.clock.now();
  const expiresAt = seconds && new Date(givenAt.getTime() + seconds * 1_000).toISOString();
  return {
    account,
    name: name.slice(0, 100),
    accessToken,
    givenAt: givenAt.toISOString(),
    ...(refreshToken && expiresAt ? { refreshToken, expiresAt } : {}),
  };
}

function accountOf({ is_enterprise_install, enterprise, team }: Access): { account: string; name: string } {
  const { id: account = "", name = account } = (is_enterprise_install === true ? enterprise : team) ?? {};
  return { account, name };
}

async function clientOf({ integration, deps }: InstallContext<SlackApp>): Promise<Record<string, string>> {
  const { clientId, clientSecretRef } = oauthOf(integration);
  const secret = await deps.readSecret(clientSecretRef, { kind: "SlackApp", host: host(integration) });
  return { client_id: clientId, client_secret: Buffer.from(secret).toString("utf8").trim() };
}

function oauthOf({ spec }: SlackApp): NonNullable<SlackApp["spec"]["credentials"]["oauth"]> {
  const { oauth } = spec.credentials;
  if (!oauth) throw new BellhopError("NotInstalled", "spec.credentials.oauth is not set");
  return oauth;
}
