import { emptyChannel, openDirectMessage as open } from "../actions/channels.ts";
import { install, newToken } from "../actions/apps.ts";
import type { App, Installation } from "../state/apps.ts";
import type { Channel } from "../state/channels.ts";
import { findApp, findChannel, findTeam, findUser } from "../state/find.ts";
import type { Team, User, UserGroup, UserKind } from "../state/teams.ts";
import { newId, nowSeconds } from "../state/world.ts";
import type { World } from "../state/world.ts";
import { randomBytes } from "node:crypto";

/** Creates a workspace. `enterprise` is the name of its organisation, which is created if it does not exist. */
export function createTeam(world: World, given: { domain: string; name?: string; enterprise?: string }): Team {
  const { data } = world;
  const { enterprise: name } = given;
  let enterprise = data.enterprises.find((candidate) => candidate.name === name) ?? null;
  if (name !== undefined && !enterprise) {
    enterprise = { id: newId(data, "E"), name };
    data.enterprises.push(enterprise);
  }
  const team: Team = { id: newId(data, "T"), name: given.name ?? given.domain, domain: given.domain, enterprise };
  data.teams.push(team);
  return team;
}

/** Creates a person in a workspace (the first one by default). Names are unique in the stand-in. */
export function createUser(
  world: World,
  given: { name: string; team?: string; kind?: UserKind; admin?: boolean; realName?: string },
): User {
  if (world.data.users.some(({ name }) => name === given.name))
    throw new Error(`Slack stand-in: there is already an account ${given.name}.`);
  const team = findTeam(world, given.team);
  const user: User = {
    id: newId(world.data, team.enterprise ? "W" : "U"),
    team,
    name: given.name,
    realName: given.realName ?? given.name,
    email: `${given.name}@${team.domain}.example`,
    kind: given.kind ?? "member",
    admin: given.admin ?? false,
    deleted: false,
    bot: null,
    updatedAt: nowSeconds(world),
  };
  world.data.users.push(user);
  return user;
}

/** Creates a group of people. */
export function createUserGroup(world: World, given: { handle: string; members: string[]; team?: string }): UserGroup {
  const members = new Set(given.members.map((name) => findUser(world, name).id));
  const team = findTeam(world, given.team);
  const group: UserGroup = { id: newId(world.data, "S"), team, handle: given.handle, members, disabled: false };
  world.data.groups.push(group);
  return group;
}

/** A new channel. */
export interface NewChannel {
  name: string;
  private?: boolean;
  /** Names of people and bots. */
  members: string[];
  team?: string;
  /** Domains of other workspaces (Slack Connect). */
  sharedWith?: string[];
}

/** Creates a channel. */
export function createChannel(world: World, given: NewChannel): Channel {
  const members = given.members.map((name) => findUser(world, name));
  const [creator] = members;
  if (!creator) throw new Error("Slack stand-in: a channel needs at least one member.");
  const channel: Channel = {
    ...emptyChannel(world, creator),
    name: given.name,
    kind: given.private === true ? "private" : "public",
    team: given.team === undefined ? creator.team : findTeam(world, given.team),
    sharedWith: (given.sharedWith ?? []).map((team) => findTeam(world, team)),
    members: new Set(members.map(({ id }) => id)),
  };
  world.data.channels.push(channel);
  return channel;
}

/** Opens the direct message of these accounts (`im` for two, `mpim` for more). */
export function openDirectMessage(world: World, given: { members: string[] }): Channel {
  return open(
    world,
    given.members.map((name) => findUser(world, name)),
  ).channel;
}

/** Adds people or bots to a channel. */
export function invite(world: World, given: { channel: string; members: string[] }): void {
  const { members } = findChannel(world, given.channel);
  for (const name of given.members) members.add(findUser(world, name).id);
}

/** Removes people or bots from a channel. */
export function kick(world: World, given: { channel: string; members: string[] }): void {
  const { members } = findChannel(world, given.channel);
  for (const name of given.members) members.delete(findUser(world, name).id);
}

/** Settings of a new app. */
export interface NewApp {
  name: string;
  eventsUrl?: string;
  /** Request URL of interactions; `eventsUrl` by default. */
  interactivityUrl?: string;
  /** Options load URL; `interactivityUrl` by default. */
  optionsUrl?: string;
  /** Request URLs by command. */
  commands?: Record<string, string>;
  events?: string[];
  scopes?: string[];
  redirectUrls?: string[];
  signingSecret?: string;
  socketMode?: boolean;
  tokenRotation?: boolean;
}

const usualEvents =
  "app_mention message.channels message.groups message.im message.mpim app_uninstalled tokens_revoked".split(" ");
const usualScopes =
  "app_mentions:read channels:history channels:read chat:write commands groups:history groups:read im:history im:read im:write mpim:history mpim:read reactions:write team:read usergroups:read users:read".split(
    " ",
  );

/** Creates an app. It is in no workspace yet. */
export function createApp(world: World, given: NewApp): App {
  const eventsUrl = given.eventsUrl ?? "";
  const hex = (bytes: number): string => randomBytes(bytes).toString("hex");
  const app: App = {
    id: newId(world.data, "A"),
    name: given.name,
    clientId: `${world.data.nextId++}000000000.${world.data.nextId++}000000000`,
    clientSecret: hex(16),
    signingSecret: given.signingSecret ?? hex(16),
    verificationToken: hex(12),
    appToken: newToken("xapp"),
    socketMode: given.socketMode ?? false,
    eventsUrl,
    interactivityUrl: given.interactivityUrl ?? eventsUrl,
    optionsUrl: given.optionsUrl ?? given.interactivityUrl ?? eventsUrl,
    commands: new Map(Object.entries(given.commands ?? {})),
    events: new Set(given.events ?? usualEvents),
    scopes: given.scopes ?? usualScopes,
    redirectUrls: given.redirectUrls ?? [],
    tokenRotation: given.tokenRotation ?? false,
  };
  world.data.apps.push(app);
  return app;
}

/** Installs an app in a workspace (or its whole organisation) as its administrator does on the app's page. Returns the bot token too. */
export function installApp(
  world: World,
  given: { app?: string; team?: string; by: string; scopes?: string[]; organisationWide?: boolean },
): Installation {
  const app = findApp(world, given.app);
  return install(world, app, findTeam(world, given.team), {
    by: findUser(world, given.by),
    scopes: given.scopes ?? app.scopes,
    organisationWide: given.organisationWide ?? false,
  });
}
