import { openDirectMessage } from "../actions/channels.ts";
import { edit, post, remove } from "../actions/messages.ts";
import type { Channel, MessageMetadata } from "../state/channels.ts";
import { findMessage } from "../state/find.ts";
import { viewMessage } from "../view/message.ts";
import { channelOf, messageOf, writableChannelOf } from "./access.ts";
import { blocksOf } from "./blocks.ts";
import { SlackFailure, invalidArguments } from "./failure.ts";
import { writing } from "./method.ts";
import type { Answer, BotCall, Method } from "./method.ts";
import type { Params } from "./params.ts";

/** Slack's limit for the text of a new message, in characters. */
const maxTextChars = 40_000;
/** Slack's limit for the text of an edit, in bytes after `&`, `<` and `>` are escaped. */
const maxEditBytes = 4_000;
/** Slack's limit for `markdown_text`, in characters. */
const maxMarkdownChars = 12_000;

type Blocks = Record<string, unknown>[] | null;

/** Messages. */
export const chatMethods: Method[] = [
  writing("chat.postMessage", ["chat:write"], postMessage),
  writing("chat.update", ["chat:write"], update),
  writing("chat.delete", ["chat:write"], deleteMessage),
  writing("chat.postEphemeral", ["chat:write"], postEphemeral),
  { ...writing("chat.getPermalink", [], getPermalink), json: false },
];

function postMessage(call: BotCall): Answer {
  const { world, params, installation } = call;
  const { app, bot } = installation;
  // The id of a person stands for their direct messages with the bot.
  const person = world.data.users.find(({ id }) => id === params.text("channel"));
  const channel = person ? openDirectMessage(world, [bot, person]).channel : writableChannelOf(call);
  const message = post(world, channel, {
    ...linked(call, contentOf(params)),
    user: bot,
    app,
    metadata: metadataOf(params) ?? null,
    threadTs: threadOf(params, channel) ?? null,
    broadcast: params.flag("reply_broadcast"),
    unfurls: { links: params.flag("unfurl_links", false), media: params.flag("unfurl_media", true) },
  });
  const view = viewMessage(world, channel, message, { metadata: true, thread: false });
  return { channel: channel.id, ts: message.ts, message: view };
}

function update(call: BotCall): Answer {
  const { world, params, installation } = call;
  const channel = channelOf(call);
  const message = messageOf(call, channel, "ts");
  if (message.user !== installation.bot) throw new SlackFailure("cant_update_message");
  if (channel.archived) throw new SlackFailure("is_archived");
  const { text, blocks } = linked(call, contentOf(params));
  if (escapedBytes(text ?? "") > maxEditBytes) throw new SlackFailure("msg_too_long");
  edit(world, channel, message, { text, blocks, metadata: metadataOf(params), by: installation.bot });
  const view = viewMessage(world, channel, message, { metadata: true, thread: false });
  return { channel: channel.id, ts: message.ts, text: message.text, message: view };
}

function deleteMessage(call: BotCall): Answer {
  const channel = channelOf(call);
  const message = messageOf(call, channel, "ts");
  if (message.user !== call.installation.bot) throw new SlackFailure("cant_delete_message");
  remove(call.world, channel, message);
  return { channel: channel.id, ts: message.ts };
}

function postEphemeral(call: BotCall): Answer {
  const { world, params, installation } = call;
  const channel = writableChannelOf(call);
  const user = world.data.users.find(({ id }) => id === params.required("user"));
  if (!user || !channel.members.has(user.id)) throw new SlackFailure("user_not_in_channel");
  const message = post(world, channel, {
    ...linked(call, contentOf(params)),
    user: installation.bot,
    app: installation.app,
    threadTs: threadOf(params, channel) ?? null,
    ephemeralFor: user,
  });
  return { message_ts: message.ts };
}

function getPermalink(call: BotCall): Answer {
  const channel = channelOf(call);
  const { ts } = messageOf(call, channel, "message_ts");
  const { domain } = call.installation.team;
  return {
    channel: channel.id,
    permalink: `https://${domain}.slack.com/archives/${channel.id}/p${ts.replace(".", "")}`,
  };
}

/** The text and blocks of the arguments, within Slack's limits. */
export function contentOf(params: Params): { text?: string | undefined; blocks?: Blocks | undefined } {
  const markdown = params.text("markdown_text");
  const blocks = blocksOf(params);
  const text = params.text("text");
  if (markdown !== undefined) {
    if (text !== undefined || blocks) throw new SlackFailure("markdown_text_conflict");
    if (markdown.length > maxMarkdownChars) throw new SlackFailure("msg_too_long");
    return { text: markdown, blocks: [{ type: "markdown", block_id: "md", text: markdown }] };
  }
  const attachments = params.json("attachments");
  if ((text === undefined || text.trim() === "") && !blocks && attachments === undefined)
    throw new SlackFailure("no_text");
  if ((text ?? "").length > maxTextChars) throw new SlackFailure("msg_too_long");
  return { text, blocks };
}

/** With `link_names` or `parse=full`, Slack makes mentions of names in the text. */
function linked<T extends { text?: string | undefined }>({ world, params }: BotCall, content: T): T {
  if (!params.flag("link_names") && params.text("parse") !== "full") return content;
  const link = (all: string, name: string): string => {
    if (/^(channel|here|everyone)$/.test(name)) return `<!${name}>`;
    const user = world.data.users.find((candidate) => candidate.name === name);
    return user ? `<@${user.id}>` : all;
  };
  return { ...content, text: content.text?.replaceAll(/(?<![<\w])@([\w.-]+)/g, link) };
}

/** Slack threads have one level: the answer to a reply belongs to the reply's thread. */
function threadOf(params: Params, channel: Channel): string | undefined {
  const ts = params.text("thread_ts");
  if (ts === undefined || ts === "") return undefined;
  if (!/^\d{10}\.\d{6}$/.test(ts)) throw new SlackFailure("invalid_thread_ts");
  const parent = findMessage(channel, ts);
  if (!parent && !channel.messages.some((message) => message.ts === ts)) throw new SlackFailure("thread_not_found");
  return parent?.threadTs ?? ts;
}

function metadataOf(params: Params): MessageMetadata | undefined {
  const given = params.json("metadata") as Partial<MessageMetadata> | undefined;
  if (given === undefined) return undefined;
  if (typeof given.event_type !== "string" || given.event_type === "" || typeof given.event_payload !== "object")
    throw new SlackFailure("invalid_metadata_format");
  if (JSON.stringify(given).length > 8_000) throw new SlackFailure("metadata_too_large");
  const unknown = Object.keys(given).filter((key) => key !== "event_type" && key !== "event_payload");
  if (unknown.length > 0) throw invalidArguments(`[ERROR] metadata has unknown fields: ${unknown.join(", ")}`);
  return { event_type: given.event_type, event_payload: given.event_payload };
}

function escapedBytes(text: string): number {
  const escaped = text
    .replaceAll(/&(?!(?:amp|lt|gt);)/g, "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
  return Buffer.byteLength(escaped);
}
