import { randomBytes } from "node:crypto";
import { blocksOf } from "./api/blocks.ts";
import { SlackFailure } from "./api/failure.ts";
import { Params } from "./api/params.ts";
import { edit, post, remove } from "./actions/messages.ts";
import type { App } from "./state/apps.ts";
import type { Channel } from "./state/channels.ts";
import { findMessage, installationAt, must } from "./state/find.ts";
import type { User } from "./state/teams.ts";
import type { ResponseUrl, World } from "./state/world.ts";

/** Slack's limits for a response URL. */
const maxUses = 5;
const lifetimeMs = 30 * 60_000;

/** Creates the response URL of an interaction or command. */
export function createResponseUrl(
  world: World,
  kind: "actions" | "commands",
  on: { app: App; channel: Channel; user: User; messageTs?: string; threadTs?: string | null },
): string {
  const secret = randomBytes(12).toString("hex");
  const url = `${world.baseUrl()}/${kind}/${on.user.team.id}/${world.data.nextId++}/${secret}`;
  world.data.responseUrls.set(url, {
    app: on.app,
    channel: on.channel,
    user: on.user,
    messageTs: on.messageTs ?? null,
    threadTs: on.threadTs ?? null,
    uses: 0,
    createdAtMs: world.clock.now().getTime(),
  });
  return url;
}

/** Answers a POST to a response URL. Slack answers `ok` as text, and errors as JSON with status 404 or 400. */
export function serveResponseUrl(
  world: World,
  url: string,
  body: string,
): { status: number; body: string | Record<string, unknown> } {
  const found = world.data.responseUrls.get(url);
  if (!found) return { status: 404, body: { ok: false, error: "no_such_url" } };
  if (found.uses >= maxUses) return { status: 404, body: { ok: false, error: "used_url" } };
  if (world.clock.now().getTime() - found.createdAtMs > lifetimeMs)
    return { status: 404, body: { ok: false, error: "expired_url" } };
  found.uses += 1;
  try {
    respond(world, found, JSON.parse(body) as Record<string, unknown>);
    return { status: 200, body: "ok" };
  } catch (error) {
    const code = error instanceof SlackFailure ? error.code : "invalid_payload";
    return { status: 400, body: { ok: false, error: code } };
  }
}

/** Carries out an answer: a new message (only for this person unless `in_channel`), or a change of the message with the element. */
export function respond(world: World, on: ResponseUrl, given: Record<string, unknown>): void {
  const params = new Params(given);
  const { channel, app, user } = on;
  const message = on.messageTs === null ? undefined : findMessage(channel, on.messageTs);
  const { bot } = must(installationAt(world, app, channel), `app ${app.name} in the channel's workspaces`);
  if (message && params.flag("delete_original")) {
    remove(world, channel, message);
    return;
  }
  const text = params.text("text");
  const blocks = blocksOf(params);
  if (text === undefined && !blocks) throw new SlackFailure("no_text");
  if (message && params.flag("replace_original", params.text("response_type") === undefined)) {
    edit(world, channel, message, { text, blocks: blocks ?? null, by: bot });
    return;
  }
  const ephemeral = params.text("response_type") !== "in_channel";
  const threadTs = params.text("thread_ts") ?? on.threadTs;
  post(world, channel, { user: bot, app, text, blocks, threadTs, ephemeralFor: ephemeral ? user : null });
}
