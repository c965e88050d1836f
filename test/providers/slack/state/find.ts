import type { App, Installation } from "./apps.ts";
import type { Channel, Message } from "./channels.ts";
import type { Team, User } from "./teams.ts";
import type { World } from "./world.ts";

/** Returns what was found, or throws an error for the author of the test. */
export function must<T>(found: T | undefined | null, what: string): T {
  if (found === undefined || found === null) throw new Error(`Slack stand-in: there is no ${what}.`);
  return found;
}

/** The workspace of this domain or id; the first one if none is given. */
export function findTeam(world: World, name?: string): Team {
  const { teams } = world.data;
  if (name === undefined) return must(teams[0], "workspace: create one first");
  return must(
    teams.find(({ domain, id }) => domain === name || id === name),
    `workspace ${name}`,
  );
}

/** The account of this name or id, in every workspace. Names are unique in the stand-in. */
export function findUser(world: World, name: string): User {
  return must(
    world.data.users.find((user) => user.name === name || user.id === name),
    `account ${name}`,
  );
}

/** The app of this name or id; the first one if none is given. */
export function findApp(world: World, name?: string): App {
  const { apps } = world.data;
  if (name === undefined) return must(apps[0], "app: create one first");
  return must(
    apps.find((app) => app.name === name || app.id === name),
    `app ${name}`,
  );
}

/** The channel of this name or id. A person's name means nothing here: use `openDirectMessage`. */
export function findChannel(world: World, name: string): Channel {
  const wanted = name.replace(/^#/, "");
  return must(
    world.data.channels.find((channel) => channel.id === name || (channel.name !== "" && channel.name === wanted)),
    `channel ${name}`,
  );
}

/** The message of this `ts`, unless it is deleted. */
export function findMessage(channel: Channel, ts: string): Message | undefined {
  return channel.messages.find((message) => message.ts === ts && !message.deleted);
}

/** The replies of a thread, oldest first, without the first message. */
export function repliesOf(channel: Channel, ts: string): Message[] {
  return channel.messages.filter((message) => message.threadTs === ts && !message.deleted && !message.ephemeralFor);
}

/** The app in a workspace, unless it was removed. */
export function findInstallation(world: World, app: App, team: Team): Installation | undefined {
  return world.data.installations.find(
    (installation) => installation.app === app && !installation.removed && covers(installation, team),
  );
}

/** Whether an installation is for a workspace, alone or with its whole organisation. */
export function covers({ team, organisationWide }: Installation, wanted: Team): boolean {
  return team === wanted || (organisationWide && team.enterprise !== null && team.enterprise === wanted.enterprise);
}

/** The workspaces of a channel: its own, and those that share it. */
export function teamsOf(channel: Channel): Team[] {
  return [channel.team, ...channel.sharedWith];
}

/** The app in one of the workspaces of a channel, unless it was removed. */
export function installationAt(world: World, app: App, channel: Channel): Installation | undefined {
  return teamsOf(channel)
    .map((team) => findInstallation(world, app, team))
    .find((installation) => installation !== undefined);
}
