import type { AgentTask } from "../../api/kinds.ts";
import type { AgentTaskStatus } from "../../api/agent-task-status.ts";
import type { CodeHost } from "../../integrations/code-host.ts";
import type { EventRepository } from "../../integrations/event.ts";
import { defined } from "../../shared/defined.ts";
import type { Decision, TaskFacts } from "./facts.ts";
import { requestText } from "./request-text.ts";
import { conversationOf, holds, isOver, isStopping, isWork, newestFirst, repositoryOf } from "./state.ts";
import type { Step, StepContext } from "./steps.ts";

type Resolved = NonNullable<AgentTaskStatus["repository"]>;

/** The repository that was found, or the names among which the requester has to choose. */
export type RepositoryReading =
  | { found: EventRepository; from: Resolved["from"] }
  | {
      choices: readonly string[];
      /** A name that was given but that the code host or the integration does not have. */
      unknown?: string;
    };

/** A question names at most this many choices. A menu has more: those that the operator publishes to the gateways. */
const maxChoices = 20;
/** After this time without an answer the task ends. */
const waitForAnswerMs = 7 * 24 * 3_600_000;

/**
 * Resolves the repository of work whose event names none, as in chats and trackers: by the answer to our question, an earlier task of the
 * conversation, a line or link in the request, the integration's mapping, or because there is only one. Otherwise asks in the thread.
 */
export const repository: Step<RepositoryReading, never> = {
  name: "repository",
  condition: "RepositoryResolved",
  concerns: ({ task }) =>
    isWork(task) && holds(task, "Authorized") && repositoryOf(task) === undefined && !isOver(task) && !isStopping(task),
  gather: readRepository,
  decide: (facts, reading, now) => decideRepository(facts, reading, now),
  apply: async () => undefined,
};

async function readRepository(context: StepContext): Promise<RepositoryReading> {
  const host = await context.codeHost();
  const candidate = await candidateOf(context);
  const found = candidate && (await look(host, candidate, context.signal));
  if (found) return { found, from: candidate.from };
  // A list can take many calls, and a task that waits for its answer is reconciled every minute.
  const asked = context.facts.task.status?.question?.choices;
  if (candidate) return { choices: asked ?? (await choicesOf(context, host)), unknown: candidate.name };
  if (asked) return { choices: asked };
  const only = single(await host.repositoryNames({ limit: 2, publicOnly: false }, context.signal));
  const one = only === undefined ? undefined : await host.repositoryNamed(only, context.signal);
  return one ? { found: one, from: "OnlyOne" } : { choices: await choicesOf(context, host) };
}

/** The names that everybody who reads the thread may see: those that the integration's administrator mapped to its place, and public ones. */
async function choicesOf(context: StepContext, host: CodeHost): Promise<string[]> {
  const offered = await host.repositoryNames({ limit: maxChoices, publicOnly: true }, context.signal);
  return [...new Set([...context.mappedRepositories(), ...offered])].slice(0, maxChoices);
}

/** Reads the repository of a candidate; undefined if the integration does not cover it, or another one has its name now. */
async function look(
  host: CodeHost,
  { name, id }: Candidate,
  signal: AbortSignal,
): Promise<EventRepository | undefined> {
  const found = isName(name) ? await host.repositoryNamed(name, signal) : undefined;
  return id === undefined || id === found?.id ? found : undefined;
}

interface Candidate {
  name: string;
  from: Resolved["from"];
  /** The id that the repository had: another one may have its name now. */
  id?: string;
}

/** The most explicit repository that the request may be about. */
async function candidateOf(context: StepContext): Promise<Candidate | undefined> {
  const answer = context.facts.task.status?.requests?.findLast(({ type }) => type === "use")?.argument;
  if (answer !== undefined) return { name: answer, from: "Answer" };
  return (
    repositoryOfRetried(context) ??
    inText(await requestText(context), context.codeHostName()) ??
    repositoryBefore(context.facts) ??
    named(single(context.mappedRepositories()), "Mapping")
  );
}

function inText(text: string, host: string): Candidate | undefined {
  return named(namesInLines(text)[0], "Line") ?? named(single(namesInLinks(text, host)), "Link");
}

function named(name: string | undefined, from: Resolved["from"]): Candidate | undefined {
  return name === undefined ? undefined : { name, from };
}

/** The only one of these names; undefined if there are several or none. */
function single(names: readonly string[]): string | undefined {
  return names.length === 1 ? names[0] : undefined;
}

/** The repository of the task that this one repeats. */
function repositoryOfRetried({ deps, facts: { task } }: StepContext): Candidate | undefined {
  const { retryOf } = task.spec;
  const original = retryOf && deps.tasks.get({ namespace: task.metadata.namespace, name: retryOf.name });
  return original && candidateAt(original);
}

/** The repository of the newest earlier work of the conversation. Work that is not authorised names any repository. */
function repositoryBefore({ task, tasks }: TaskFacts): Candidate | undefined {
  const before = tasks
    .inConversation(task, conversationOf(task))
    .filter((other) => isWork(other) && holds(other, "Authorized") && newestFirst(other, task) > 0)
    .sort(newestFirst);
  return before.map(candidateAt).find((candidate) => candidate !== undefined);
}

function candidateAt(task: AgentTask): Candidate | undefined {
  const at = repositoryOf(task);
  return at && { name: `${at.owner}/${at.name}`, from: "Conversation", id: at.id };
}

/** Whether a text has the form of a name; a part of only dots would be another path in a URL. */
function isName(text: string): boolean {
  return /^(?!\.{1,2}\/)[\w.-]{1,100}\/(?!\.{1,2}$)[\w.-]{1,100}$/.test(text);
}

const line = /^[ \t>*_-]{0,8}(?:repository|repo)[*_]{0,3}:[ \t*_`]{0,8}([\w.-]{1,100}\/[\w.-]{1,100})[ \t*_`]{0,8}$/gim;

/** Repositories in lines such as `Repository: acme/shop`. Pure. */
export function namesInLines(text: string): string[] {
  return [...text.matchAll(line)].flatMap(([, name]) => name ?? []);
}

/** Repositories in links to the code host, each once. Pure. */
export function namesInLinks(text: string, host: string): string[] {
  const link = new RegExp(
    `https://${host.replace(/[^A-Za-z0-9]/g, String.raw`\$&`)}/([\\w.-]{1,100}/[\\w.-]{1,100})`,
    "gi",
  );
  return [...new Set([...text.matchAll(link)].flatMap(([, name]) => name?.replace(/\.git$|\.$/, "") ?? []))];
}

/** Pure. */
export function decideRepository({ task }: TaskFacts, reading: RepositoryReading, now: Date): Decision {
  if ("found" in reading) return resolved(reading.found, reading.from);
  const { question } = task.status ?? {};
  const askedAt = question?.askedAt ?? now.toISOString();
  const leftMs = Date.parse(askedAt) + waitForAnswerMs - now.getTime();
  if (leftMs <= 0) return unanswered();
  const text = questionOf(reading);
  return {
    conditions: [{ type: "RepositoryResolved", status: "Unknown", reason: "WaitingForAnswer", message: text }],
    fields: { question: { text, choices: [...reading.choices], askedAt, ...defined({ asked: question?.asked }) } },
    requeueAfterMs: leftMs,
  };
}

function resolved({ id, host, owner, name, private: isPrivate }: EventRepository, from: Resolved["from"]): Decision {
  const message = `Works in ${owner}/${name} (${origins[from]}).`;
  return {
    conditions: [{ type: "RepositoryResolved", status: "True", reason: from, message }],
    fields: { repository: { id, host, owner, name, private: isPrivate, from }, question: undefined },
  };
}

const origins: Record<Resolved["from"], string> = {
  Line: "a line in the request names it",
  Link: "a link in the request leads to it",
  Mapping: "the integration maps it",
  OnlyOne: "the integration covers no other",
  Answer: "the answer in the thread names it",
  Conversation: "an earlier task of the conversation worked there",
};

function unanswered(): Decision {
  const reason = "NoAnswer";
  const message =
    "Nobody said within 7 days which repository the request is about. Ask again and name it: `Repository: owner/name`.";
  return {
    conditions: [
      { type: "RepositoryResolved", status: "False", reason, message },
      { type: "Succeeded", status: "False", reason, message },
    ],
    fields: { question: undefined },
  };
}

function questionOf({ choices, unknown }: Extract<RepositoryReading, { choices: readonly string[] }>): string {
  const named = unknown === undefined || isName(unknown) ? unknown : "of this name";
  const wrong = named === undefined ? "" : `The integration does not cover a repository ${named.slice(0, 120)}. `;
  const how =
    choices.length === 0 ? "Answer with `use owner/name`." : "Choose one, or name another with `use owner/name`.";
  return `${wrong}Which repository is this about? ${how}`;
}

/** The name of a task's repository, for messages. */
export function nameOfRepository(task: AgentTask): string {
  const found = repositoryOf(task);
  return found ? `${found.owner}/${found.name}` : "no repository";
}
