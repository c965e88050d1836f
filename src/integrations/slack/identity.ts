import type { SlackApp } from "../../api/slack-app.ts";
import type { Identity, Installation } from "../connection.ts";
import { isProviderFailure, type ProviderError } from "../errors.ts";
import type { OAuthGrant } from "../sign-in.ts";
import { createMemo } from "../../shared/memo.ts";
import type { SlackClient } from "./client.ts";
import { cacheMs } from "./limits.ts";
import { required } from "./required.ts";

/** Whose token it is: the bot user, its workspace or organisation, and the scopes. */
export interface Self {
  id: string;
  /** Id of the bot behind the bot user; messages of apps carry it. */
  botId: string | undefined;
  login: string;
  team: { id: string; name: string };
  /** The Enterprise Grid organisation of the workspace. */
  enterpriseId: string | undefined;
  /** Whether the app is installed for the whole organisation. */
  orgWide: boolean;
  /** Address of the workspace with trailing slash, for links to messages. */
  url: string;
  /** Undefined if Slack names none. */
  scopes: readonly string[] | undefined;
}

/** Looks up our own account at Slack and caches it for an hour. */
export interface WhoAmI {
  (signal: AbortSignal): Promise<Self>;
  /** The same without the cache: scopes change when the app is installed again, and tokens are revoked. */
  now(signal: AbortSignal): Promise<Self>;
}

/** Creates the look-up of our own account. */
export function whoAmI(client: SlackClient): WhoAmI {
  const memo = createMemo<Self>(client.settings.clock, cacheMs.identity);
  const now = (signal: AbortSignal): Promise<Self> => readSelf(client, signal);
  return Object.assign((signal: AbortSignal) => memo("self", () => now(signal)), { now });
}

/** Whether a message is our own. With an installation for a whole organisation, the bot user has another id in each workspace; the bot behind it is the same. */
export function isOwn({ user, bot_id }: { user?: string; bot_id?: string }, self: Self): boolean {
  return user === self.id || (bot_id !== undefined && bot_id === self.botId);
}

/** The parts of a sign-in that `identity` uses. */
interface Checked {
  who: WhoAmI;
  grant?: OAuthGrant;
}

/** Checks every token: bot user, workspace, and the scopes that are missing (no API can set them). A workspace whose token of the install flow does not work any more has a problem; the others are not affected. */
export function identity(integration: SlackApp, signIns: readonly Checked[]): Identity {
  return {
    check: async (signal) => {
      const found: Found[] = [];
      for (const signIn of signIns) found.push(await check(integration, signIn, signal));
      return {
        bot: found.find(({ bot }) => bot)?.bot,
        installations: found.flatMap(({ installations }) => installations),
        tokenScope: "Broad",
        missing: [...new Set(found.flatMap(({ missing }) => missing))],
      };
    },
  };
}

interface Found {
  bot?: { id: string; login: string; mention: string };
  installations: Installation[];
  missing: string[];
}

async function check(integration: SlackApp, { who, grant }: Checked, signal: AbortSignal): Promise<Found> {
  try {
    const self = await who.now(signal);
    const { id, login, scopes } = self;
    return {
      bot: { id, login, mention: login },
      installations: installationsOf(self, grant),
      missing: scopes === undefined ? [] : missingScopes(integration, scopes, grant),
    };
  } catch (error) {
    if (!grant || !isProviderFailure(error, "Unauthorized", "Suspended")) throw error;
    const { account: id, name: account } = grant;
    return { installations: [{ id, account, problem: problemOf(grant, error) }], missing: [] };
  }
}

function problemOf({ refreshProblem }: OAuthGrant, { failure }: ProviderError): string {
  if (refreshProblem !== undefined)
    return `the token expired, and could not be refreshed: ${refreshProblem}`.slice(0, 1_024);
  if (failure === "Suspended") return "the app was removed, or an administrator disabled it";
  return "Slack does not accept the token any more: it was revoked, or the app was removed";
}

/** The install flow gives a token for a workspace or for an organisation; a token of a Secret may be for both. */
function installationsOf(
  { id: botId, team, enterpriseId, orgWide }: Self,
  grant: OAuthGrant | undefined,
): Installation[] {
  const account = (grant?.name ?? team.name).slice(0, 100);
  const organisation = orgWide && enterpriseId !== undefined ? [enterpriseId] : [];
  const ids = grant ? [grant.account] : [...new Set([team.id, ...organisation])].filter((one) => one !== "");
  return ids.map((id) => ({ id, account, botId }));
}

function missingScopes(integration: SlackApp, has: readonly string[], grant: OAuthGrant | undefined): string[] {
  const where = grant ? ` in ${grant.name} (${grant.account})` : "";
  return required(integration)
    .scopes.filter((scope) => !has.includes(scope))
    .map((scope) => `scope ${scope} of the app's bot token${where}`);
}

interface AuthTest {
  url?: string;
  team?: string;
  user?: string;
  team_id?: string;
  user_id?: string;
  bot_id?: string;
  enterprise_id?: string;
  is_enterprise_install?: boolean;
  response_metadata?: { scopes?: string[] };
}

async function readSelf(client: SlackClient, signal: AbortSignal): Promise<Self> {
  const answer = await client.call<AuthTest>({ doing: "check the bot token", method: "auth.test", args: {} }, signal);
  return {
    id: answer.user_id ?? "",
    botId: answer.bot_id,
    login: (answer.user ?? "").slice(0, 100),
    team: { id: answer.team_id ?? "", name: answer.team ?? answer.team_id ?? "" },
    enterpriseId: answer.enterprise_id,
    orgWide: answer.is_enterprise_install === true,
    url: pageRoot(answer.url) ?? `${client.settings.url}/`,
    scopes: answer.response_metadata?.scopes,
  };
}

function pageRoot(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url) || !url.startsWith("https://")) return undefined;
  return url.endsWith("/") ? url : `${url}/`;
}
