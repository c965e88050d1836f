import { execFileSync } from "node:child_process";
import type { AgentTask } from "../../../../src/api/kinds.ts";
import { eventually } from "../../../cluster/namespace.ts";
import type { Team } from "./team.ts";

/** Id of a comment that may trigger a task. */
export type CommentId = string;

/** A comment as GitHub shows it. */
export interface Comment {
  id: number;
  body: string;
  user: { login: string };
}

/** A pull request as GitHub shows it. */
export interface Pull {
  number: number;
  title: string;
  body: string;
  state: string;
  draft: boolean;
  user: { login: string };
  head: { ref: string; sha: string };
  base: { ref: string };
}

/** The thread of one issue or pull request, with the actions of people on it. */
export interface Thread {
  team: Team;
  repo: string;
  number: number;
  /** Writes a comment that mentions the bot; its author is ana by default. */
  ask(text: string, as?: string): Promise<CommentId>;
  /** Waits until the task that a comment created is as wanted; fails with its status and all logs. */
  until(commentId: CommentId, describe: string, wanted: (task: AgentTask) => boolean): Promise<AgentTask>;
  /** Waits until the final report of the task that a comment created is posted. */
  reported(commentId: CommentId): Promise<AgentTask>;
  /** The bot's comments, oldest first. */
  botComments(): Promise<Comment[]>;
  /** Every pull request of the repository, oldest first. */
  pulls(): Promise<Pull[]>;
}

/** Opens an issue, and returns its thread. */
export async function anIssue(team: Team, title = "Say hello in the README", repo = team.repo): Promise<Thread> {
  const { number } = await team.world.github.people.openIssue({ repo, as: "ana", title, body: "It only says Shop." });
  return threadOn(team, number, repo);
}

/** The thread of an existing issue or pull request. */
export function threadOn(team: Team, number: number, repo = team.repo): Thread {
  const { github } = team.world;
  const thread: Thread = {
    team,
    repo,
    number,
    async ask(text, as = "ana") {
      const { id } = await github.people.comment({ repo, number, as, body: `${team.mention} ${text}` });
      return String(id);
    },
    until: (commentId, describe, wanted) =>
      taskThat(team, describe, (task) => isOf(task, commentId) && task.spec.retryOf === undefined && wanted(task)),
    reported: (commentId) => thread.until(commentId, `the final report for comment ${commentId}`, isReported),
    async botComments() {
      const all = await team.read<Comment[]>(`/repos/${repo}/issues/${number}/comments?per_page=100`);
      return all.filter(({ user }) => user.login === team.bot);
    },
    pulls: async () => (await team.read<Pull[]>(`/repos/${repo}/pulls?state=all&per_page=100`)).toReversed(),
  };
  return thread;
}

/** Waits until one of the team's tasks is as wanted; fails with the status of all of them and the logs. */
export async function taskThat(
  { world, namespace }: Team,
  describe: string,
  wanted: (task: AgentTask) => boolean,
  timeoutMs = 150_000,
): Promise<AgentTask> {
  try {
    return await eventually(() => world.tasks.list(namespace).find(wanted), { describe, timeoutMs });
  } catch (error) {
    const seen = world.tasks.list(namespace).map((task) => `${task.metadata.name} ${JSON.stringify(task.status)}`);
    throw new Error([String(error), "tasks:", ...seen, world.logs(namespace)].join("\n"), { cause: error });
  }
}

/** Whether a comment created the task. */
export function isOf(task: AgentTask, commentId: CommentId): boolean {
  return task.spec.source.object?.id === commentId;
}

/** Whether the final report is posted. */
export function isReported(task: AgentTask): boolean {
  return task.status?.conditions?.some(({ type, status }) => type === "Reported" && status === "True") ?? false;
}

/** Why a task ended: the reason of the condition that ended it. */
export function reasonOf({ status }: AgentTask): string | undefined {
  return status?.conditions?.find(
    ({ type, status: value }) => type === "Succeeded" || (type === "Authorized" && value === "False"),
  )?.reason;
}

/** Runs git in a repository of the GitHub stand-in. */
export function gitAt({ world }: Team, repo: string, ...args: string[]): string {
  return execFileSync("git", ["-C", world.github.gitDir(repo), ...args], { encoding: "utf8", stdio: "pipe" }).trim();
}
