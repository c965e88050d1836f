import { execFileSync } from "node:child_process";
import type { AgentTask } from "../../../../src/api/kinds.ts";
import { eventually } from "../../../cluster/namespace.ts";
import type { Team } from "./team.ts";

/** A comment of a person's that may have rung. */
export type Said = string;

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

/** What happens on one issue or pull request. */
export interface Story {
  team: Team;
  repo: string;
  number: number;
  /** Writes a comment that calls the bot; as ana unless told. */
  ask(words: string, as?: string): Promise<Said>;
  /** Waits until the task that a comment made is as wanted; fails with its status and all logs. */
  until(said: Said, describe: string, wanted: (task: AgentTask) => boolean): Promise<AgentTask>;
  /** Waits until the story of that task is told to its end. */
  end(said: Said): Promise<AgentTask>;
  /** Our comments, oldest first. */
  ours(): Promise<Comment[]>;
  /** Every pull request of the repository, oldest first. */
  pulls(): Promise<Pull[]>;
}

/** Opens an issue, to begin with. */
export async function anIssue(team: Team, title = "Say hello in the README", repo = team.repo): Promise<Story> {
  const { number } = await team.world.github.people.openIssue({ repo, as: "ana", title, body: "It only says Shop." });
  return storyOn(team, number, repo);
}

/** What happens on an issue or a pull request that is there. */
export function storyOn(team: Team, number: number, repo = team.repo): Story {
  const { github } = team.world;
  const story: Story = {
    team,
    repo,
    number,
    async ask(words, as = "ana") {
      const { id } = await github.people.comment({ repo, number, as, body: `${team.mention} ${words}` });
      return String(id);
    },
    until: (said, describe, wanted) =>
      taskThat(team, describe, (task) => isOf(task, said) && task.spec.retryOf === undefined && wanted(task)),
    end: (said) => story.until(said, `what comment ${said} asked for to be reported`, isReported),
    async ours() {
      const all = await team.read<Comment[]>(`/repos/${repo}/issues/${number}/comments?per_page=100`);
      return all.filter(({ user }) => user.login === team.bot);
    },
    pulls: async () => (await team.read<Pull[]>(`/repos/${repo}/pulls?state=all&per_page=100`)).toReversed(),
  };
  return story;
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

/** Whether a comment made the task. */
export function isOf(task: AgentTask, said: Said): boolean {
  return task.spec.source.object?.id === said;
}

/** Whether the last word is said. */
export function isReported(task: AgentTask): boolean {
  return task.status?.conditions?.some(({ type, status }) => type === "Reported" && status === "True") ?? false;
}

/** Why a task ended: the reason of the condition that ended it. */
export function reasonOf({ status }: AgentTask): string | undefined {
  return status?.conditions?.find(
    ({ type, status: value }) => type === "Succeeded" || (type === "Authorized" && value === "False"),
  )?.reason;
}

/** Asks git about a repository at GitHub. */
export function gitAt({ world }: Team, repo: string, ...args: string[]): string {
  return execFileSync("git", ["-C", world.github.gitDir(repo), ...args], { encoding: "utf8", stdio: "pipe" }).trim();
}
