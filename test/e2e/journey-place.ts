import { readdirSync, readFileSync } from "node:fs";
import type { AgentTask } from "../../src/api/kinds.ts";
import { until } from "../cluster/node/wait.ts";
import { isReported } from "../demo/follow.ts";
import { nodePlace, type NodePlace, type NodePlaceOptions } from "../demo/node-place.ts";
import { ours } from "../demo/place.ts";
import { deliveryOf, taskOf } from "../demo/main-job.ts";

/** Starts the whole installation on a separate node; close it at the end. */
export function startPlace(options: Omit<NodePlaceOptions, "say">): Promise<NodePlace> {
  return nodePlace({ ...options, say: (line) => console.log(line) });
}

/** Sets another agent command in the team's profile. */
export async function agentRuns(place: NodePlace, ...command: string[]): Promise<void> {
  const patch = JSON.stringify({ spec: { agent: { command } } });
  await place.kubectl(["patch", "-n", place.namespace, "agentprofile", "default", "--type=merge", "-p", patch]);
}

/** An issue with a mention of the bot. */
export interface Asked {
  issue: number;
  /** The task that the mention created. */
  task: string;
}

/** Opens an issue as ana and mentions the bot on it. Throws if the signed delivery created no task. */
export async function ask(place: NodePlace, title: string): Promise<Asked> {
  const opened = { repo: place.repository, as: "ana", title, body: "It only says Shop." };
  const { number } = await place.people<{ number: number }>("openIssue", opened);
  return { issue: number, task: await say(place, number, "please fix this") };
}

/** Mentions the bot as ana. Returns the name of the created task. */
export async function say(place: NodePlace, issue: number, words: string): Promise<string> {
  const body = `${place.mention} ${words}`;
  const comment = await place.people<{ id: number }>("comment", {
    repo: place.repository,
    number: issue,
    as: "ana",
    body,
  });
  return taskOf(await deliveryOf(place, comment.id));
}

/** Waits until a task is as wanted; fails with its status and every log. */
export async function taskWhere(
  place: NodePlace,
  name: string,
  what: string,
  wanted: (task: AgentTask) => boolean,
): Promise<AgentTask> {
  let last: AgentTask | undefined;
  const probe = async (): Promise<AgentTask | undefined> => {
    last = await place.api<AgentTask>(`${ours(place.namespace, "agenttasks")}/${name}`);
    return last && wanted(last) ? last : undefined;
  };
  try {
    const detail = (): string => JSON.stringify(last?.status, undefined, 1);
    return await until(probe, { what: `${name} ${what}`, timeoutMs: 120_000, detail });
  } catch (cause) {
    throw new Error(`${String(cause)}\n${await place.logs()}`, { cause });
  }
}

/** Waits until the final report of a task is posted. */
export function reported(place: NodePlace, name: string): Promise<AgentTask> {
  return taskWhere(place, name, "reported", isReported);
}

/** The bot's comments on an issue. */
export async function botComments(place: NodePlace, issue: number): Promise<string[]> {
  const path = `/repos/${place.repository}/issues/${issue}/comments`;
  const comments = await place.rest<{ body: string; user: { login: string } }[]>(path);
  return comments.filter(({ user }) => user.login === place.bot).map(({ body }) => body);
}

/** Ids of this machine's processes whose command line has these words one after another; the node's are among them. */
export function processesWith(...words: string[]): number[] {
  const text = words.join("\0");
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && commandOf(name).includes(text))
    .map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
