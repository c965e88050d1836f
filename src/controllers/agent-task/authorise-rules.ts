import type { AgentTask } from "../../api/kinds.ts";
import type { AccessDecision, Reread } from "../../integrations/connection.ts";
import type { Integration } from "../../integrations/integration.ts";
import { hasOwnWorkInChannel } from "./commands/in-channel.ts";
import { failedTaskOf, fixesBefore, isFailedCheck, resolveConversation } from "./conversation.ts";
import { acceptEdited, isEdited, whyNotAccepted, type EditedRequest } from "./edited-request.ts";
import type { Decision, TaskFacts } from "./facts.ts";
import { isRequester } from "./same-person.ts";
import { holds, isOver, isWork, ownWorkOnly, personAtCodeHost, requesterOf } from "./state.ts";
import { cutCharacters } from "../../intake/cut-text.ts";
import { defined } from "../../shared/defined.ts";

/** As the schema of a person has it. */
const maxLogin = 253;

/** The provider's answers about the task's origin. A field is absent if the provider was not asked. */
export interface AuthoriseReading {
  reread?: Reread;
  /** The request in the text, if it was edited since and still mentions the bot. */
  edited?: EditedRequest | undefined;
  /** Whether the person on whose behalf the task works may start it. */
  grant?: AccessDecision;
  /** For tasks from kubectl: the repository with the id in the spec, and whether the integration covers it. */
  repository?: { owner: string; name: string; covered: boolean } | "Gone";
}

type Rule = (facts: TaskFacts & { integration: Integration }, reading: AuthoriseReading) => Decision | undefined;

/** Decides whether the task is authorised: the first rule that refuses wins. Pure. */
export function decideAuthorisation(facts: TaskFacts, reading: AuthoriseReading): Decision {
  const { integration, task } = facts;
  if (!integration) {
    const { kind, name } = task.spec.integrationRef;
    return undecided(
      "IntegrationNotFound",
      `${kind} ${name} does not exist in this namespace; the task waits until it is created.`,
    );
  }
  const known = { ...facts, integration };
  const rules = task.spec.source.provider === "kubernetes" ? fromKubernetes : fromProvider;
  const decision = firstOf(rules, known, reading) ?? allowed(known, reading);
  return { ...decision, fields: { ...decision.fields, requester: requesterFor(facts, reading) } };
}

function firstOf(rules: readonly Rule[], ...given: Parameters<Rule>): Decision | undefined {
  for (const rule of rules) {
    const decision = rule(...given);
    if (decision) return decision;
  }
  return undefined;
}

/** The person, with the name that the provider has for them now: an event may carry an old name, or only an id. */
function requesterFor(facts: TaskFacts, { grant }: AuthoriseReading): { id: string; login: string } {
  const { id, login } = personOf(facts) ?? facts.task.spec.actor;
  return { id, login: cutCharacters(grant?.login || login, maxLogin) };
}

/**
 * The person on whose behalf the task works; for failed checks, the account at the code host of the requester of the commit that they ran on.
 * Undefined if nobody requested the commit, or the requester has no account there: an id of a chat would be another person at the code host.
 */
export function personOf({
  task,
  tasks,
  integrationOf,
}: Pick<TaskFacts, "task" | "tasks" | "integrationOf">): { id: string; login: string } | undefined {
  if (!isFailedCheck(task)) return task.spec.actor;
  const failed = failedTaskOf(task, tasks);
  return failed && personAtCodeHost(failed, integrationOf(failed), requesterOf(failed));
}

/** Both sides must accept it: who may connect a chat to a code host may not thereby use the code host with kubectl. */
const kubernetesDenied: Rule = ({ integration, codeHostIntegration = integration }) => {
  const denied = [integration, codeHostIntegration].find(({ spec }) => spec.access.kubernetes !== "Allow");
  return (
    denied &&
    refused(
      "NotAuthorized",
      `Integration ${denied.metadata.name} does not accept tasks from kubectl; set spec.access.kubernetes: Allow on it, then create a new task.`,
    )
  );
};

/** The integration's own setting decides which code host its tasks may use, also if it changed since the task was created. */
const codeHostWrong: Rule = ({ task, integration }) => {
  const [asked, set] = [task.spec.codeHostRef, integration.spec.codeHostRef];
  if (asked?.kind === set?.kind && asked?.name === set?.name) return undefined;
  const { name } = integration.metadata;
  return refused(
    "NotAuthorized",
    set
      ? `The changes of integration ${name} go to ${set.kind} ${set.name} (its spec.codeHostRef), which this task does not name; ask again, or create a new task with that spec.codeHostRef.`
      : `Integration ${name} has no spec.codeHostRef; ask again, or create a new task without spec.codeHostRef.`,
  );
};

const repositoryWrong: Rule = ({ task, integration }, { repository }) => {
  const named = task.spec.repository;
  if (!named || !repository)
    return refused("RepositoryMissing", "A task from kubectl needs spec.repository; create a new task that sets it.");
  const name = `${named.owner}/${named.name}`;
  if (repository === "Gone") {
    return refused(
      "RepositoryGone",
      `Integration ${integration.metadata.name} cannot find repository ${name} with id ${named.id} on ${named.host}: it was deleted, or the integration has no access to it.`,
    );
  }
  if (repository.covered && repository.owner === named.owner && repository.name === named.name) return undefined;
  return refused(
    "NotAuthorized",
    `Integration ${integration.metadata.name} does not cover ${repository.owner}/${repository.name}, the repository with id ${named.id}.`,
  );
};

const notOurs: Rule = ({ task, tasks }) =>
  isFailedCheck(task) && !failedTaskOf(task, tasks)
    ? refused("NotOurs", "The checks ran on a commit that no Bellhop task created, so nobody requested a fix for it.")
    : undefined;

const requesterUnknown: Rule = (facts) => {
  const failed = failedTaskOf(facts.task, facts.tasks);
  if (!failed || personOf(facts)) return undefined;
  const message = `The checks ran on a commit that ${requesterOf(failed).login} requested through integration ${failed.spec.integrationRef.name}. It knows no account of theirs at the code host (spec.access.people), so nobody's permission allows a fix; ask for it in the pull request.`;
  return refused("NotAuthorized", message);
};

const fixLoopsExhausted: Rule = ({ task, tasks, profile }) => {
  const owner = failedTaskOf(task, tasks);
  if (!owner || !profile) return undefined;
  const { fixLoops } = profile.spec.output;
  if (fixesBefore(task, owner, tasks) < fixLoops) return undefined;
  const message = `Checks failed on ${owner.status?.result?.branch ?? "this branch"}, and the limit for automatic fixes is reached (output.fixLoops: ${fixLoops} in profile ${task.spec.profileRef.name}); a person has to fix them.`;
  return refused("FixLoopsExhausted", message);
};

const sourceGone: Rule = (_facts, { reread }) =>
  reread?.found
    ? undefined
    : refused("SourceGone", reread?.message ?? "Could not read the object that triggered this task from the provider.");

const sourceMismatch: Rule = ({ task }, { reread, edited }) => {
  if (!reread?.found) return undefined;
  const { source, actor } = task.spec;
  if (reread.subjectKey !== source.subject.key) {
    return refused(
      "SourceMismatch",
      `The object that triggered this task belongs to ${reread.subjectKey}, not to ${source.subject.key}.`,
    );
  }
  if (actorIsAuthor(task) && reread.actor.id !== actor.id) {
    return refused(
      "SourceMismatch",
      `The object that triggered this task was written by @${reread.actor.login}, not by @${actor.login}.`,
    );
  }
  const why = isEdited(task, reread) ? whyNotAccepted(task, reread, edited) : undefined;
  return why === undefined ? undefined : refused("SourceMismatch", why);
};

const actorIsBot: Rule = (facts, reading) => {
  const { grant } = reading;
  if (!grant?.isBot) return undefined;
  const { login } = requesterFor(facts, reading);
  if (facts.task.spec.command === "approve")
    return refused("NotAuthorized", `${login} is a bot; only people can approve.`);
  return grant.allowed
    ? undefined
    : refused("NotAuthorized", `${login} is a bot; only people, and bots in spec.access.bots, can start tasks.`);
};

const notPermitted: Rule = (facts, reading) => {
  const { integration } = facts;
  const { grant } = reading;
  if (grant?.allowed || mayStopOwnWork(facts)) return undefined;
  const { has, needs } = grant ?? { has: "no access", needs: "access" };
  return refused(
    "NotAuthorized",
    `@${requesterFor(facts, reading).login} has ${has}; integration ${integration.metadata.name} needs ${needs}.`,
  );
};

/** An answer that its requester cannot see is not worth a run. Commands are carried out: their answer is for one person. */
const threadUnreachable: Rule = ({ task }, { reread }) =>
  isWork(task) && reread?.found && reread.unreachable !== undefined
    ? refused("ThreadUnreachable", reread.unreachable)
    : undefined;

const fromKubernetes: readonly Rule[] = [kubernetesDenied, codeHostWrong, repositoryWrong];
const fromProvider: readonly Rule[] = [
  codeHostWrong,
  notOurs,
  requesterUnknown,
  sourceGone,
  sourceMismatch,
  fixLoopsExhausted,
  actorIsBot,
  notPermitted,
  threadUnreachable,
];

const spokenTypes: ReadonlySet<string> = new Set(["IssueComment", "Review", "ReviewComment", "Message"]);

/** Whether the sender of the event must be the author of its object: true for text, false for labels, assignments, checks and shortcuts. */
function actorIsAuthor(task: AgentTask): boolean {
  const { object, signal, textSHA256 } = task.spec.source;
  // A shortcut is used on the message of anybody; a command exists only in the signed delivery, which names the sender.
  if (signal?.type === "Shortcut" || object?.type === "Command") return false;
  const spoken = object !== undefined && spokenTypes.has(object.type);
  return spoken || (textSHA256 !== undefined && !isFailedCheck(task));
}

/** The requester of running work may stop it, even without write access now. Only authorised work counts: anybody can create a task. */
function mayStopOwnWork(facts: TaskFacts): boolean {
  const { task, tasks } = facts;
  if (task.spec.command !== "stop") return false;
  if (hasOwnWorkInChannel(facts)) return true;
  return tasks
    .inConversation(task, resolveConversation(task, tasks))
    .some((other) => isWork(other) && holds(other, "Authorized") && !isOver(other) && isRequester(facts, other));
}

function allowed(facts: TaskFacts & { integration: Integration }, reading: AuthoriseReading): Decision {
  const { task, tasks } = facts;
  const { instance, name } = resolveConversation(task, tasks);
  return {
    conditions: [{ type: "Authorized", status: "True", ...groundsForAllowing(facts, reading) }],
    fields: {
      ...(reading.edited ? acceptEdited(task, facts.integration, reading.edited) : {}),
      conversation: name,
      ...defined({ conversationInstance: instance }),
    },
  };
}

/** Why the person may start the task. The reason also shows if the person may act only on their own work. */
function groundsForAllowing(
  facts: TaskFacts & { integration: Integration },
  reading: AuthoriseReading,
): { reason: string; message: string } {
  const { task } = facts;
  const { grant, edited } = reading;
  const { login } = requesterFor(facts, reading);
  if (task.spec.source.provider === "kubernetes") {
    const { owner, name } = task.spec.repository ?? { owner: "?", name: "?" };
    const message = `${login} may create tasks in this namespace, and the integration allows them for ${owner}/${name}.`;
    return { reason: "KubernetesAllowed", message };
  }
  if (!grant?.allowed) {
    const message = `@${login} may stop only work that they requested.`;
    return { reason: ownWorkOnly, message };
  }
  return {
    reason: "PermissionChecked",
    message: `${grant.isBot ? login : `@${login}`} has ${grant.has}.${edited ? ` ${newestCounts}` : ""}`,
  };
}

const newestCounts = "Its author edited the text before the work began; the newest text counts.";

function refused(reason: string, message: string): Decision {
  return { conditions: [{ type: "Authorized", status: "False", reason, message }] };
}

function undecided(reason: string, message: string): Decision {
  return { conditions: [{ type: "Authorized", status: "Unknown", reason, message }], requeueAfterMs: 60_000 };
}
