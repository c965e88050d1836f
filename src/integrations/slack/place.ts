import type { TaskSource } from "../../api/agent-task.ts";
import type { ThreadTarget } from "../connection.ts";

/** A place in Slack: a channel, and the thread in it by the `ts` of its first message. Without a thread: the channel itself. */
export interface Place {
  channel: string;
  thread: string | undefined;
}

/** `<workspace>/<channel>/<root>`, `slack <channel>/<root>`, `<channel>/…`, and `slack/<workspace>/<channel>/<ts>`. */
const channel = String.raw`([CGD][A-Z0-9]{1,31})`;
const forms = {
  conversation: new RegExp(String.raw`^[TE][A-Z0-9]{1,31}/${channel}/(.+)$`),
  subject: new RegExp(String.raw`^slack ${channel}/(.+)$`),
  object: new RegExp(String.raw`^${channel}/`),
  cause: new RegExp(String.raw`^slack/(?:action/|shortcut/)?[TE][A-Z0-9]{1,31}/${channel}/`),
};
const messageTs = /^\d{10}\.\d{6}$/;

/**
 * The place of the request, from the conversation or the subject: the channel, and the first message of the thread. A slash command has no
 * thread; its conversation has another last part. Otherwise only the channel is known, from the object or the cause. Undefined if there is no
 * channel, as for tasks from kubectl.
 */
export function placeOf({ source, conversation }: Pick<ThreadTarget, "source" | "conversation">): Place | undefined {
  if (source.provider !== "slack") return undefined;
  const [, inThread, root = ""] = forms.conversation.exec(conversation) ?? forms.subject.exec(source.subject.key) ?? [];
  const found = inThread ?? channelOf(source);
  return found === undefined ? undefined : { channel: found, thread: messageTs.test(root) ? root : undefined };
}

/** Whether a report can be posted to the thread of a task. */
export function hasPlace(target: ThreadTarget): boolean {
  return placeOf(target) !== undefined;
}

function channelOf({ channel: named, object, cause }: TaskSource): string | undefined {
  return named ?? (forms.object.exec(object?.id ?? "") ?? forms.cause.exec(cause))?.[1];
}

/** The conversation in the thread that a message begins. */
export function conversationIn({ source, conversation }: ThreadTarget, { channel: at }: Place, ts: string): string {
  const instance = source.instance ?? conversation.slice(0, conversation.indexOf("/"));
  return `${instance}/${at}/${ts}`;
}

/** The channel of a conversation; empty if it names none. */
export function channelOfConversation(conversation: string): string {
  return forms.conversation.exec(conversation)?.[1] ?? "";
}

/** The `ts` of the message that triggered the task; undefined if the task was not triggered by a message. */
export function messageOf({ object }: TaskSource): string | undefined {
  const ts = object?.type === "Message" ? object.id.slice(object.id.indexOf("/") + 1) : "";
  return messageTs.test(ts) ? ts : undefined;
}

/** The name of a place in error messages. */
export function nameOf({ channel, thread }: Place): string {
  return thread === undefined ? channel : `${channel}/${thread}`;
}

/** When a message was written. The whole seconds of its `ts` are a time, and the rest makes it unique in its channel. */
export function timeOf(ts: string): Date {
  return new Date(Number(ts) * 1_000);
}

/** A time as a `ts`, for `oldest` and `latest`. */
export function tsOf(time: Date): string {
  return (time.getTime() / 1_000).toFixed(6);
}
