import type { SlackApp } from "../../api/slack-app.ts";
import type { Authorizer, AccessDecision } from "../connection.ts";
import { isProviderFailure } from "../errors.ts";
import { createMemo } from "../../shared/memo.ts";
import type { SlackClient } from "./client.ts";
import type { Self, WhoAmI } from "./identity.ts";
import { cacheMs } from "./limits.ts";
import { placeOf } from "./place.ts";

/** Dependencies of the authorizer. */
export interface AuthorizerDeps {
  client: SlackClient;
  who: WhoAmI;
  members: Membership;
}

/** The ids of the members of a user group; nobody if there is no such group. */
export type Membership = (group: UserGroup, signal: AbortSignal) => Promise<ReadonlySet<string>>;

/** A user group. `team`: its workspace, which Slack has to know if the token is for a whole organisation. */
interface UserGroup {
  id: string;
  team: string | undefined;
}

/** Decides who may start tasks: people of the workspace, by their id and `spec.access`. */
export function authorizer({ spec }: SlackApp, deps: AuthorizerDeps): Authorizer {
  const { access } = spec;
  return {
    may: async ({ source, actor }, signal) => {
      const self = await deps.who(signal);
      const user = await userById(deps.client, actor.id, signal);
      const channel = placeOf({ source, conversation: "" })?.channel;
      const team = self.orgWide ? source.instance : undefined;
      const about: About = { access, user, self, channel, team };
      const login = user?.name ?? actor.login;
      const isBot = user !== undefined && isBotUser(user);
      const refusal = refusalOf(about) ?? (await groupRefusal(about, deps.members, signal));
      if (refusal) return { allowed: false, isBot, login, ...refusal };
      const member = `membership in ${nameOf(self)}`;
      return { allowed: true, isBot, login, has: member, needs: member };
    },
  };
}

/** Creates the look-up of user groups, cached for a minute. */
export function membership(client: SlackClient): Membership {
  const memo = createMemo<ReadonlySet<string>>(client.settings.clock, cacheMs.userGroup);
  return (group, signal) => memo(`${group.team} ${group.id}`, () => readMembers(client, group, signal));
}

interface About {
  access: SlackApp["spec"]["access"];
  user: SlackUser | undefined;
  self: Self;
  /** The channel of the request. */
  channel: string | undefined;
  /** The workspace of the request, if the token is for a whole organisation. */
  team: string | undefined;
}

type Refusal = Pick<AccessDecision, "has" | "needs">;

function refusalOf(about: About): Refusal | undefined {
  const { user, self, access } = about;
  const member = `membership in ${nameOf(self)}`;
  if (!user) return { has: `no account that the bot can see in ${nameOf(self)}`, needs: member };
  if (isBotUser(user)) return { has: "the account of a bot", needs: "the account of a person" };
  if (user.deleted) return { has: `a deactivated account in ${nameOf(self)}`, needs: member };
  if (isExternal(user, self) && access.externalMembers !== "Allow")
    return { has: `membership in another workspace (${user.team_id ?? "unknown"})`, needs: member };
  if (isGuest(user) && access.guests !== "Allow")
    return { has: `the role guest in ${nameOf(self)}`, needs: "membership in the workspace" };
  return channelRefusal(about);
}

/**
 * Direct messages are not narrowed by channels. The source of a slash command may name no channel; then the check of the gateway counts, which
 * has the signed channel.
 */
function channelRefusal({ access: { channels }, channel }: About): Refusal | undefined {
  if (channels === undefined || channel === undefined) return undefined;
  if (channel.startsWith("D") || channels.includes(channel)) return undefined;
  const has = `a request in the channel ${channel}`;
  return { has, needs: `a request in one of the channels ${listed(channels)}` };
}

async function groupRefusal(
  { access: { userGroups }, user, team }: About,
  members: Membership,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  if (userGroups === undefined || !user) return undefined;
  for (const group of userGroups) {
    if ((await members({ id: group, team }, signal)).has(user.id)) return undefined;
  }
  return { has: "membership in none of these user groups", needs: `membership in one of ${listed(userGroups)}` };
}

/** At most five ids, so that a condition message stays short. */
function listed(ids: readonly string[]): string {
  return ids.length > 5 ? `${ids.slice(0, 5).join(", ")} and ${ids.length - 5} more` : ids.join(", ");
}

function nameOf({ team }: Self): string {
  return `the workspace ${team.name}`;
}

/** The fields that we use of `users.info`. */
interface SlackUser {
  id: string;
  name: string;
  team_id?: string;
  deleted?: boolean;
  is_bot?: boolean;
  is_restricted?: boolean;
  is_ultra_restricted?: boolean;
  is_stranger?: boolean;
  enterprise_user?: { enterprise_id?: string; teams?: string[] };
}

async function userById(client: SlackClient, id: string, signal: AbortSignal): Promise<SlackUser | undefined> {
  if (id === "") return undefined;
  try {
    const { user } = await client.call<{ user?: SlackUser }>(
      { doing: `look up the account ${id}`, method: "users.info", args: { user: id } },
      signal,
    );
    return user?.id === id ? user : undefined;
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return undefined;
    throw error;
  }
}

async function readMembers(
  client: SlackClient,
  { id, team }: UserGroup,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  try {
    const { users = [] } = await client.call<{ users?: string[] }>(
      {
        doing: `read the members of the user group ${id}`,
        method: "usergroups.users.list",
        args: { usergroup: id, ...(team === undefined ? {} : { team_id: team }) },
      },
      signal,
    );
    return new Set(users);
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return new Set();
    throw error;
  }
}

/** Slackbot is a bot, although Slack's answer does not say so. */
function isBotUser({ id, is_bot }: SlackUser): boolean {
  return is_bot === true || id === "USLACKBOT";
}

function isGuest({ is_restricted, is_ultra_restricted }: SlackUser): boolean {
  return is_restricted === true || is_ultra_restricted === true;
}

/** A person of an Enterprise Grid organisation belongs to several workspaces of it. */
function isExternal({ team_id, is_stranger, enterprise_user }: SlackUser, self: Self): boolean {
  if (is_stranger === true) return true;
  if (team_id === self.team.id || enterprise_user?.teams?.includes(self.team.id)) return false;
  const sameOrganisation = self.enterpriseId !== undefined && enterprise_user?.enterprise_id === self.enterpriseId;
  return !(self.orgWide && sameOrganisation);
}
