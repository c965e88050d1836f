import { randomBytes } from "node:crypto";
import { newToken, removeApp as remove, revokeToken as revoke } from "../actions/apps.ts";
import type { Installation } from "../state/apps.ts";
import { findApp, findChannel, findInstallation, findTeam, findUser, must } from "../state/find.ts";
import type { World } from "../state/world.ts";

/** An app in a workspace; the first ones by default. */
export interface OfApp {
  app?: string;
  team?: string;
}

/** Revokes the bot token; the app stays. Sends `tokens_revoked`. */
export function revokeToken(world: World, given: OfApp): void {
  revoke(world, installed(world, given));
}

/** Removes the app from the workspace. Sends `tokens_revoked` and `app_uninstalled`. */
export function removeApp(world: World, given: OfApp): void {
  remove(world, installed(world, given));
}

/** Replaces the scopes of a bot token. */
export function setScopes(world: World, given: OfApp & { scopes: string[] }): void {
  installed(world, given).scopes = new Set(given.scopes);
}

/**
 * Closes an app's connections in Socket Mode. With a reason (`warning`, `refresh_requested`, `link_disabled`) the app gets Slack's
 * `disconnect` message first; without one the connections are reset. After a `warning` they are closed 10 s later.
 */
export function disconnectSockets(world: World, given: { app?: string; reason?: string }): void {
  world.sockets.disconnect(findApp(world, given.app), given.reason);
}

/** Makes an app's open connections dead: no byte arrives any more on either side, and nothing closes them. */
export function freezeSockets(world: World, given: { app?: string }): void {
  world.sockets.freeze(findApp(world, given.app));
}

/** Turns Socket Mode on or off on the app's page. Off: its connections are closed with `link_disabled`, and new ones as well. */
export function setSocketMode(world: World, given: { app?: string; on: boolean }): void {
  const app = findApp(world, given.app);
  app.socketMode = given.on;
  if (!given.on) world.sockets.disconnect(app, "link_disabled");
}

/** Replaces the app-level token, as somebody who revokes it and generates another one. Returns the new one. */
export function replaceAppToken(world: World, given: { app?: string }): string {
  const app = findApp(world, given.app);
  app.appToken = newToken("xapp");
  return app.appToken;
}

/** Sets the request URL of events and interactions on the app's page, and of every command. */
export function setRequestUrl(world: World, given: { app?: string; url: string }): void {
  const app = findApp(world, given.app);
  app.eventsUrl = given.url;
  app.interactivityUrl = given.url;
  app.optionsUrl = given.url;
  for (const command of app.commands.keys()) app.commands.set(command, given.url);
}

/** Archives a channel. */
export function archive(world: World, given: { channel: string }): void {
  findChannel(world, given.channel).archived = true;
}

/** Unarchives a channel. */
export function unarchive(world: World, given: { channel: string }): void {
  findChannel(world, given.channel).archived = false;
}

/** Deactivates an account. */
export function deactivate(world: World, given: { name: string }): void {
  findUser(world, given.name).deleted = true;
}

/** Sends `url_verification` to the app's request URL, as Slack does when its administrator saves it. Returns whether the challenge came back. */
export async function verifyUrl(world: World, given: { app?: string }): Promise<boolean> {
  const app = findApp(world, given.app);
  const challenge = randomBytes(24).toString("base64url");
  const payload = { token: app.verificationToken, challenge, type: "url_verification" };
  const delivery = await world.ask({ app, kind: "handshake", type: "url_verification", url: app.eventsUrl, payload });
  const { status, answer } = must(delivery.attempts.at(-1), "attempt");
  return status === 200 && (answer === challenge || (answer.startsWith("{") && answer.includes(`"${challenge}"`)));
}

/** Sends a delivery again, signed again, as Slack does if the answer was lost. Returns the status. */
export async function repeatDelivery(world: World, given: { id: string }): Promise<number | undefined> {
  const found = world.data.deliveries.find(({ id }) => id === given.id);
  const { app, kind, type, url, payload, fields } = must(found, `delivery ${given.id}`);
  const again = { app, kind, type, url, payload, ...(fields !== undefined && { fields }) };
  return (await world.ask(again)).attempts.at(-1)?.status;
}

/** Sends `app_rate_limited`: Slack holds back this minute's events of a workspace. Returns the status. */
export async function rateLimitEvents(world: World, given: OfApp): Promise<number | undefined> {
  const { app, team } = installed(world, given);
  const minute = Math.floor(world.clock.now().getTime() / 60_000) * 60;
  const common = { token: app.verificationToken, type: "app_rate_limited", team_id: team.id, api_app_id: app.id };
  const payload = { ...common, minute_rate_limited: minute };
  const outgoing = { app, kind: "handshake", type: "app_rate_limited", url: app.eventsUrl, payload } as const;
  return (await world.ask(outgoing)).attempts.at(-1)?.status;
}

/** Sends Slack's check of a command's certificate (`ssl_check=1`). Returns the status. */
export async function sslCheck(world: World, given: { app?: string; command: string }): Promise<number | undefined> {
  const app = findApp(world, given.app);
  const url = must(app.commands.get(given.command), `command ${given.command} of app ${app.name}`);
  const payload = { ssl_check: "1", token: app.verificationToken };
  const outgoing = { app, kind: "handshake", type: "ssl_check", url, payload, fields: true } as const;
  return (await world.ask(outgoing)).attempts.at(-1)?.status;
}

/**
 * Approves an app's install page: `url` is the address to which the app sends the browser (`…/oauth/v2/authorize?…`).
 * `organisationWide` installs it for all workspaces of the person's organisation.
 * Returns the address to which Slack sends the browser back, with `code` and `state`.
 */
export function approveInstall(world: World, given: { as: string; url: string; organisationWide?: boolean }): string {
  const { redirect, query, app } = readInstallPage(world, given.url);
  const by = findUser(world, given.as);
  const code = `${world.data.nextId++}.${world.data.nextId++}.${randomBytes(32).toString("hex")}`;
  const expiresAtMs = world.clock.now().getTime() + 10 * 60_000;
  const scopes = (query.get("scope") ?? "").split(",").filter((scope) => scope !== "");
  world.data.codes.push({
    code,
    app,
    team: by.team,
    by,
    scopes,
    redirectUri: redirect,
    expiresAtMs,
    organisationWide: given.organisationWide ?? false,
  });
  return withQuery(redirect, { code, state: query.get("state") ?? "" });
}

/** Declines an app's install page. Returns the address to which Slack sends the browser back. */
export function declineInstall(world: World, given: { url: string }): string {
  const { redirect, query } = readInstallPage(world, given.url);
  return withQuery(redirect, { error: "access_denied", state: query.get("state") ?? "" });
}

function readInstallPage(world: World, url: string) {
  const query = new URL(url).searchParams;
  const app = must(
    world.data.apps.find(({ clientId }) => clientId === query.get("client_id")),
    `app with client id ${query.get("client_id") ?? ""}`,
  );
  const redirect = query.get("redirect_uri") ?? must(app.redirectUrls[0], "redirect URL of the app");
  if (!app.redirectUrls.some((allowed) => redirect === allowed || redirect.startsWith(`${allowed}/`)))
    throw new Error(`Slack stand-in: bad_redirect_uri: ${redirect} is none of the app's redirect URLs.`);
  return { redirect, query, app };
}

function withQuery(address: string, query: Record<string, string>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

function installed(world: World, { app, team }: OfApp): Installation {
  const found = findInstallation(world, findApp(world, app), findTeam(world, team));
  return must(found, `app ${app ?? ""} in workspace ${team ?? ""}`);
}
