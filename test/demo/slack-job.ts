import type { AgentTask } from "../../src/api/kinds.ts";
import { until } from "../cluster/node/wait.ts";
import type { MessageRef, SeenMessage } from "../providers/slack/index.ts";
import { followOf, isReported } from "./follow.ts";
import { showChange, showObjects, TaskFailed } from "./main-job.ts";
import { ours, type Place, type Say, type SlackPlace } from "./place.ts";
import { startTimeline, type Timeline } from "./timeline.ts";

/** The id of the menu with the repositories. */
export const menu = "bellhop/use";

/** The id of the report's button that asks for the menu. */
const chooseButton = "bellhop/choose";

/** An option of a menu. */
interface Option {
  text: { text: string };
  value: string;
}

/**
 * Turns a mention in Slack into a pull request at GitHub and an answer in the thread: Bellhop asks for the repository, and ana picks it. Prints
 * each event with its time. Returns the seconds that it took.
 */
export async function slackJob(place: Place, say: Say): Promise<string> {
  const { repository } = place;
  const slack = slackOf(place);
  const text = "please say hello in the README";
  say(`ana writes in #${slack.channel} at Slack: @bellhop ${text}`);
  const timeline = startTimeline(say);
  const thread = await slack.people<MessageRef>("mentions", { as: "ana", channel: slack.channel, text });
  await showDeliveries(slack, timeline);
  const name = await requestedTask(place);
  timeline.add(`task ${place.namespace}/${name}`);
  const follow = followOf(place, timeline, name);
  mustAsk(await follow((task) => asks(task) || isReported(task)));
  const question = await questionIn(slack, thread);
  timeline.add("the thread:");
  await showThread(slack, timeline, thread);
  const asked = await personalQuestionIn(slack, thread);
  timeline.add(`only ana sees: ${asked.shown.split("\n").join(" ")}`);
  const { options, option } = await optionOf(slack, asked, repository);
  timeline.add(`ana opens the menu; the gateway offers ${options.join(", ")}`);
  const { status } = await slack.people<{ status?: number }>("picks", pick(asked, option));
  timeline.add(`ana picks ${repository}; the gateway answered ${status ?? "nothing"}`);
  const task = await follow(isReported);
  const seconds = timeline.seconds();
  await showChange(place, timeline, task);
  const messages = await endedThread(slack, thread);
  timeline.add("the thread:");
  await showThread(slack, timeline, thread);
  await showObjects(place, timeline);
  if (task.status?.phase !== "Succeeded") throw new TaskFailed(task);
  mustBeOneReport(messages, question);
  return seconds;
}

const asks = ({ status }: AgentTask): boolean => status?.phase === "WaitingForInput";

function mustAsk(task: AgentTask): void {
  if (asks(task)) return;
  const { phase, repository } = task.status ?? {};
  throw new Error(`the task ended as ${phase} without a question: its repository is ${JSON.stringify(repository)}`);
}

/** The workspace of a place that was started with one. */
export function slackOf({ slack, what }: Place): SlackPlace {
  if (slack) return slack;
  throw new Error(`${what} was started without Slack`);
}

/** Ana's choice in the menu of the question. */
export function pick({ channel, ts }: MessageRef, option: Option): object {
  return { as: "ana", message: { channel, ts }, actionId: menu, option };
}

/** Opens the menu as ana, and finds the option of a repository. Returns the names of all options as well. */
export async function optionOf(
  slack: SlackPlace,
  { channel, ts }: MessageRef,
  repository: string,
): Promise<{ options: string[]; option: Option }> {
  const given = { as: "ana", message: { channel, ts }, actionId: menu, query: "" };
  const offered = await slack.people<Option[]>("types", given);
  const options = offered.map(({ value }) => value);
  const option = offered.find(({ value }) => value === repository);
  if (!option) throw new Error(`the menu does not offer ${repository}, but ${options.join(", ") || "nothing"}`);
  return { options, option };
}

/** Waits for the bot's message with the menu, which only ana sees. */
export function personalQuestionIn(slack: SlackPlace, thread: MessageRef): Promise<SeenMessage> {
  const asked = async (): Promise<SeenMessage | undefined> =>
    (await slack.messages(thread, { as: "ana" })).findLast(({ ephemeral }) => ephemeral);
  return until(asked, { what: "the question to ana", timeoutMs: 60_000 });
}

/** The name of the only task that is a request, not a command: one mention arrives as several events. */
export async function requestedTask(place: Place): Promise<string> {
  const list = await place.api<{ items: AgentTask[] }>(ours(place.namespace, "agenttasks"));
  const names = (list?.items ?? [])
    .filter(({ spec }) => spec.command === undefined)
    .map(({ metadata }) => metadata.name);
  if (names.length === 1 && names[0] !== undefined) return names[0];
  throw new Error(`the mention should have created one task, and created ${names.length}: ${names.join(", ")}`);
}

/** Waits for the bot's message with the question. */
export function questionIn(slack: SlackPlace, thread: MessageRef): Promise<SeenMessage> {
  const asked = async (): Promise<SeenMessage | undefined> =>
    (await botMessages(slack, thread)).find(({ blocks }) => JSON.stringify(blocks).includes(chooseButton));
  return until(asked, { what: "the question in the thread", timeoutMs: 60_000 });
}

/** Waits for the reply at the end. Returns the bot's messages. */
export function endedThread(slack: SlackPlace, thread: MessageRef): Promise<SeenMessage[]> {
  const ended = async (): Promise<SeenMessage[] | undefined> => {
    const messages = await botMessages(slack, thread);
    return messages.length > 1 ? messages : undefined;
  };
  return until(ended, { what: "the reply that mentions the requester", timeoutMs: 30_000 });
}

async function botMessages(slack: SlackPlace, thread: MessageRef): Promise<SeenMessage[]> {
  return (await slack.messages(thread)).filter(({ author }) => author === "bellhop");
}

async function showDeliveries(slack: SlackPlace, timeline: Timeline): Promise<void> {
  for (const type of ["app_mention", "message"]) {
    const attempt = (await slack.deliveries(type))[0]?.attempts.at(-1);
    if (!attempt) throw new Error(`Slack delivered no event ${type}: is the request URL of the app set?`);
    const signature = attempt.headers["x-slack-signature"]?.slice(0, 16);
    timeline.add(`${type} delivered, signed ${signature}…; the gateway answered ${attempt.status ?? "nothing"}`);
  }
}

async function showThread(slack: SlackPlace, timeline: Timeline, thread: MessageRef): Promise<void> {
  for (const { author, shown, edited } of await slack.messages(thread)) {
    timeline.show(`${author}${edited ? " (edited)" : ""}:`);
    for (const line of shown.split("\n")) timeline.show(`  ${line}`);
  }
}

/** The question and the report are one message, and only the reply at the end follows it. */
function mustBeOneReport(messages: readonly SeenMessage[], question: SeenMessage): void {
  if (messages.length === 2 && messages[0]?.ts === question.ts) return;
  throw new Error(`the bot should have one message and one reply in the thread, and has ${messages.length}`);
}
