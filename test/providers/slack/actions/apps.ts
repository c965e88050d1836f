import { randomBytes, randomInt } from "node:crypto";
import { emitEvent } from "../events.ts";
import type { App, Installation } from "../state/apps.ts";
import { findInstallation } from "../state/find.ts";
import type { Team, User } from "../state/teams.ts";
import { newId, newTs, nowSeconds } from "../state/world.ts";
import type { World } from "../state/world.ts";

/** Adds an app to a workspace, or gives an installed one these scopes. Without token rotation it keeps its one bot token. */
export function install(
  world: World,
  app: App,
  team: Team,
  given: { by: User; scopes: string[]; organisationWide?: boolean },
): Installation {
  const known = findInstallation(world, app, team);
  const scopes = new Set([...(known?.scopes ?? []), ...given.scopes]);
  if (known) {
    const keepsToken = !known.revoked && !known.removed && !app.tokenRotation;
    Object.assign(known, { scopes, revoked: false, organisationWide: given.organisationWide ?? false });
    if (!keepsToken) rotate(world, known);
    return known;
  }
  const bot =
    world.data.users.find((user) => user.bot?.appId === app.id && user.team === team) ?? newBot(world, app, team);
  bot.deleted = false;
  const installation: Installation = {
    app,
    team,
    organisationWide: given.organisationWide ?? false,
    bot,
    token: "",
    expiresAtMs: undefined,
    refreshToken: undefined,
    scopes,
    installedBy: given.by,
    revoked: false,
    removed: false,
  };
  rotate(world, installation);
  world.data.installations.push(installation);
  return installation;
}

const tokenLifeMs = 12 * 3_600_000;

/** Gives an installation its next token. With token rotation it expires, and has a refresh token. */
export function rotate(world: World, installation: Installation): void {
  const token = newToken("xoxb");
  if (!installation.app.tokenRotation) {
    Object.assign(installation, { token });
    return;
  }
  const expiresAtMs = world.clock.now().getTime() + tokenLifeMs;
  const refreshToken = `xoxe-1-${randomBytes(24).toString("hex")}`;
  Object.assign(installation, { token: `xoxe.${token}`, expiresAtMs, refreshToken });
}

/** Revokes the bot token, and sends `tokens_revoked`. */
export function revokeToken(world: World, installation: Installation): void {
  if (installation.revoked) return;
  const event = { type: "tokens_revoked", tokens: { oauth: [], bot: [installation.bot.id] }, event_ts: newTs(world) };
  installation.revoked = true;
  if (installation.app.events.has("tokens_revoked")) emitEvent(world, installation, event);
}

/** Removes the app from the workspace: sends `tokens_revoked` and `app_uninstalled`, in whatever order they arrive. */
export function removeApp(world: World, installation: Installation): void {
  revokeToken(world, installation);
  installation.removed = true;
  installation.bot.deleted = true;
  for (const channel of world.data.channels) channel.members.delete(installation.bot.id);
  if (installation.app.events.has("app_uninstalled"))
    emitEvent(world, installation, { type: "app_uninstalled", event_ts: newTs(world) });
}

/** A token in Slack's format. */
export function newToken(kind: "xoxb" | "xapp"): string {
  const number = (): number => randomInt(10 ** 11, 10 ** 12);
  const secret = randomBytes(24).toString("base64url").replaceAll(/[-_]/g, "x").slice(0, 24);
  return kind === "xoxb" ? `xoxb-${number()}-${number()}-${secret}` : `xapp-1-A${number()}-${number()}-${secret}`;
}

function newBot(world: World, app: App, team: Team): User {
  const bot: User = {
    id: newId(world.data, "U"),
    team,
    name: app.name,
    realName: app.name,
    email: "",
    kind: "bot",
    admin: false,
    deleted: false,
    bot: { id: newId(world.data, "B"), appId: app.id },
    updatedAt: nowSeconds(world),
  };
  world.data.users.push(bot);
  return bot;
}
