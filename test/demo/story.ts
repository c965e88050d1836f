import type { AgentTask } from "../../src/api/kinds.ts";
import { follow } from "./follow.ts";
import type { Place, Say } from "./place.ts";
import { startStory, type Story } from "./say.ts";

/** A delivery as the stand-in remembers it. */
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

/** A mention on an issue becomes a pull request and an answer, told with times. Gives the seconds it took. */
export async function mainJob(place: Place, say: Say): Promise<string> {
  const { repository, bot } = place;
  const title = "Say hello in the README";
  const body = "It only says Shop.";
  const issue = await place.people<{ number: number }>("openIssue", { repo: repository, as: "ana", title, body });
  const words = `${place.mention} please fix this`;
  say(`ana opened ${repository}#${issue.number} (${title}) and now comments: ${words}`);
  const story = startStory(say);
  const said = { repo: repository, number: issue.number, as: "ana", body: words };
  const comment = await place.people<{ id: number }>("comment", said);
  const name = await tellAnswer(place, story, await deliveryOf(place, comment.id));
  const task = await follow(place, story, name);
  const seconds = story.seconds();
  await tellEnd(place, story, task, issue.number);
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

/** How a comment was delivered. The bot's own first words may have been delivered meanwhile. */
export async function deliveryOf(place: Place, comment: number): Promise<Delivery> {
  const all = await place.remembered<Delivery[]>("/deliveries?event=issue_comment");
  const delivery = all.find(({ request }) => request.payload.comment?.id === comment);
  if (!delivery) throw new Error("GitHub delivered nothing: is its hook installed?");
  return delivery;
}

/** What the gateway answered to the signed delivery. Gives the name of the task. */
async function tellAnswer(place: Place, story: Story, delivery: Delivery): Promise<string> {
  const { statusCode, response, request, duration } = delivery;
  const signature = request.headers["X-Hub-Signature-256"]?.slice(0, 20);
  story.tell(`issue_comment delivered, signed ${signature}…`);
  story.tell(`the gateway answered ${statusCode} after ${duration.toFixed(2)} s: ${response.payload.trim()}`);
  const name = taskOf(delivery);
  story.tell(`task ${place.namespace}/${name}`);
  return name;
}

/** The task that a delivery made; throws the answer where it made none. */
export function taskOf({ statusCode, response }: Delivery): string {
  const { task } = JSON.parse(response.payload) as { task?: { name: string } };
  if (statusCode === 202 && task) return task.name;
  throw new Error(`the delivery made no task: the gateway answered ${statusCode} ${response.payload}`);
}

async function tellEnd(place: Place, story: Story, task: AgentTask, issue: number): Promise<void> {
  const { result, checkout } = task.status ?? {};
  if (result?.commit && checkout?.headSHA) {
    const pull = await place.rest<{ html_url: string; draft: boolean }>(
      `/repos/${place.repository}/pulls/${result.changeNumber}`,
    );
    story.tell(`${pull.draft ? "draft pull request" : "pull request"} ${pull.html_url} from ${result.branch}:`);
    story.show(await place.git("diff", `${checkout.headSHA}..${result.commit}`));
  }
  story.tell(`what ${place.bot} says on the issue:`);
  for (const comment of await botComments(place, issue)) story.show(comment.body);
  const table = await place.kubectl(["get", "agenttasks", "-n", place.namespace, "-o", "wide"]);
  story.tell("kubectl get agenttasks -o wide");
  story.show(table);
}

async function botComments(place: Place, issue: number): Promise<Comment[]> {
  const path = `/repos/${place.repository}/issues/${issue}/comments`;
  return (await place.rest<Comment[]>(path)).filter(({ user }) => user.login === place.bot);
}
