import type { AgentTask } from "../../src/api/kinds.ts";
import { followOf, isReported } from "./follow.ts";
import type { Place, Say } from "./place.ts";
import { startTimeline, type Timeline } from "./timeline.ts";

/** A delivery as the stand-in records it. */
export interface Delivery {
  event: string;
  statusCode: number;
  /** Seconds until the answer. */
  duration: number;
  response: { payload: string };
  request: { headers: Record<string, string>; payload: { comment?: { id: number } } };
}
interface Comment {
  body: string;
  user: { login: string };
}

/** Turns a mention on an issue into a pull request and a report, and prints each event with its time. Returns the seconds that it took. */
export async function mainJob(place: Place, say: Say): Promise<string> {
  const { repository, bot } = place;
  const title = "Say hello in the README";
  const body = "It only says Shop.";
  const issue = await place.people<{ number: number }>("openIssue", { repo: repository, as: "ana", title, body });
  const text = `${place.mention} please fix this`;
  say(`ana opened ${repository}#${issue.number} (${title}) and now comments: ${text}`);
  const timeline = startTimeline(say);
  const written = { repo: repository, number: issue.number, as: "ana", body: text };
  const comment = await place.people<{ id: number }>("comment", written);
  const name = await showAnswer(place, timeline, await deliveryOf(place, comment.id));
  const task = await followOf(place, timeline, name)(isReported);
  const seconds = timeline.seconds();
  await showChange(place, timeline, task);
  timeline.add(`comments of ${bot} on the issue:`);
  for (const { body: shown } of await botComments(place, issue.number)) timeline.show(shown);
  await showObjects(place, timeline);
  if (task.status?.phase !== "Succeeded") throw new TaskFailed(task);
  const ours = await botComments(place, issue.number);
  if (ours.length !== 1) throw new Error(`${bot} should have written one comment, and wrote ${ours.length}`);
  return seconds;
}

/** A task of the demo that did not succeed; `code` is the reason. */
export class TaskFailed extends Error {
  readonly code: string;
  constructor(task: AgentTask) {
    const failed = task.status?.conditions?.find(({ type, status }) => type === "Succeeded" && status === "False");
    super(`task ${task.metadata.name} ended as ${task.status?.phase}: ${failed?.reason}: ${failed?.message}`);
    this.name = "TaskFailed";
    this.code = failed?.reason ?? "";
  }
}

/** The delivery of a comment. The bot's first report may have been delivered meanwhile. */
export async function deliveryOf(place: Place, comment: number): Promise<Delivery> {
  const all = await place.remembered<Delivery[]>("/deliveries?event=issue_comment");
  const delivery = all.find(({ request }) => request.payload.comment?.id === comment);
  if (!delivery) throw new Error("GitHub delivered nothing: is its hook installed?");
  return delivery;
}

/** Prints the gateway's answer to the signed delivery. Returns the name of the task. */
async function showAnswer(place: Place, timeline: Timeline, delivery: Delivery): Promise<string> {
  const { statusCode, response, request, duration } = delivery;
  const signature = request.headers["X-Hub-Signature-256"]?.slice(0, 20);
  timeline.add(`issue_comment delivered, signed ${signature}…`);
  timeline.add(`the gateway answered ${statusCode} after ${duration.toFixed(2)} s: ${response.payload.trim()}`);
  const name = taskOf(delivery);
  timeline.add(`task ${place.namespace}/${name}`);
  return name;
}

/** Returns the task that a delivery created; throws with the gateway's answer if it created none. */
export function taskOf({ statusCode, response }: Delivery): string {
  const { task } = JSON.parse(response.payload) as { task?: { name: string } };
  if (statusCode === 202 && task) return task.name;
  throw new Error(`the delivery created no task: the gateway answered ${statusCode} ${response.payload}`);
}

/** Prints the pull request of a task, and its diff. */
export async function showChange(place: Place, timeline: Timeline, task: AgentTask): Promise<void> {
  const { result, checkout } = task.status ?? {};
  if (result?.commit && checkout?.headSHA) {
    const pull = await place.rest<{ html_url: string; draft: boolean }>(
      `/repos/${place.repository}/pulls/${result.changeNumber}`,
    );
    timeline.add(`${pull.draft ? "draft pull request" : "pull request"} ${pull.html_url} from ${result.branch}:`);
    timeline.show(await place.git("diff", `${checkout.headSHA}..${result.commit}`));
  }
}

/** Prints Bellhop's objects as kubectl shows them. */
export async function showObjects({ kubectl, namespace }: Place, timeline: Timeline): Promise<void> {
  for (const args of [
    ["get", "bellhop", "-A"],
    ["get", "agenttasks", "-n", namespace, "-o", "wide"],
  ]) {
    const table = await kubectl(args);
    timeline.add(`kubectl ${args.join(" ")}`);
    timeline.show(table);
  }
}

async function botComments(place: Place, issue: number): Promise<Comment[]> {
  const path = `/repos/${place.repository}/issues/${issue}/comments`;
  return (await place.rest<Comment[]>(path)).filter(({ user }) => user.login === place.bot);
}
