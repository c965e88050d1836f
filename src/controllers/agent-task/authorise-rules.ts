import { createHash } from "node:crypto";
import type { AgentTask } from "../../api/kinds.ts";
import { permissions, type Permission, type Reread } from "../../integrations/connection.ts";
import type { Integration } from "../../integrations/types.ts";
import { failedTaskOf, fixesBefore, isFailedCheck, resolveConversation } from "./conversation.ts";
import type { Decision, TaskFacts } from "./facts.ts";
import { holds, isOver, isWork, ownWorkOnly, requesterOf } from "./state.ts";

/** The provider's answers about the task's origin. A field is absent if the provider was not asked. */
export interface AuthoriseReading {
  reread?: Reread;
  /** The permission of the person on whose behalf the task works. */
  permission?: { permission: Permission; login: string; isBot: boolean };
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
  for (const rule of rules) {
    const decision = rule(known, reading);
    if (decision) return decision;
  }
  return allowed(known, reading);
}

/** The person on whose behalf the task works; for failed checks, the requester of the commit that they ran on. */
export function personOf({ task, tasks }: TaskFacts): { id: string; login: string } {
  const failed = failedTaskOf(task, tasks);
  return failed ? requesterOf(failed) : task.spec.actor;
}

const kubernetesDenied: Rule = ({ integration }) =>
  integration.spec.access.kubernetes === "Allow"
    ? undefined
    : refused(
        "NotAuthorized",
        `Integration ${integration.metadata.name} does not accept tasks from kubectl; set spec.access.kubernetes: Allow on it, then create a new task.`,
      );

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

const sourceMismatch: Rule = ({ task }, { reread }) => {
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
  if (source.textSHA256 !== undefined && source.textSHA256 !== sha256(reread.text ?? "")) {
    return refused("SourceMismatch", "The text was edited after it triggered this task; write a new comment instead.");
  }
  return undefined;
};

const actorIsBot: Rule = (facts, { permission }) =>
  permission?.isBot
    ? refused("NotAuthorized", `@${personOf(facts).login} is a bot; only people can start tasks.`)
    : undefined;

const notPermitted: Rule = (facts, { permission }) => {
  const { task, integration } = facts;
  if (isPermitted(integration, permission) || mayStopOwnWork(facts)) return undefined;
  const needed = integration.spec.access.permission;
  const { owner, name } = task.spec.repository ?? { owner: "?", name: "?" };
  const has =
    permission?.permission === "None" || !permission ? "no access" : `${permission.permission.toLowerCase()} access`;
  return refused(
    "NotAuthorized",
    `@${personOf(facts).login} has ${has} on ${owner}/${name}; integration ${integration.metadata.name} needs ${needed.toLowerCase()} access or higher.`,
  );
};

const fromKubernetes: readonly Rule[] = [kubernetesDenied, repositoryWrong];
const fromProvider: readonly Rule[] = [
  notOurs,
  sourceGone,
  sourceMismatch,
  fixLoopsExhausted,
  actorIsBot,
  notPermitted,
];

/** Whether the sender of the event must be the author of its object: true for text, false for labels, assignments and checks. */
function actorIsAuthor(task: AgentTask): boolean {
  const { object, textSHA256 } = task.spec.source;
  const spoken = object?.type === "IssueComment" || object?.type === "Review" || object?.type === "ReviewComment";
  return spoken || (textSHA256 !== undefined && !isFailedCheck(task));
}

function isPermitted({ spec }: Integration, permission: AuthoriseReading["permission"]): boolean {
  return (
    permission !== undefined &&
    permissions.indexOf(permission.permission) >= permissions.indexOf(spec.access.permission)
  );
}

/** The requester of running work may stop it, even without write access now. Only authorised work counts: anybody can create a task. */
function mayStopOwnWork({ task, tasks }: TaskFacts): boolean {
  if (task.spec.command !== "stop") return false;
  return tasks
    .inConversation(task, resolveConversation(task, tasks))
    .some(
      (other) =>
        isWork(other) && holds(other, "Authorized") && !isOver(other) && requesterOf(other).id === task.spec.actor.id,
    );
}

function allowed(facts: TaskFacts & { integration: Integration }, reading: AuthoriseReading): Decision {
  const { task, tasks } = facts;
  return {
    conditions: [{ type: "Authorized", status: "True", ...groundsForAllowing(facts, reading) }],
    fields: {
      conversation: resolveConversation(task, tasks),
      ...(isFailedCheck(task) ? { requester: personOf(facts) } : {}),
    },
  };
}

/** Why the person may start the task. The reason also shows if the person may act only on their own work. */
function groundsForAllowing(
  facts: TaskFacts & { integration: Integration },
  { permission }: AuthoriseReading,
): { reason: string; message: string } {
  const { task, integration } = facts;
  const { login } = personOf(facts);
  const { owner, name } = task.spec.repository ?? { owner: "?", name: "?" };
  if (task.spec.source.provider === "kubernetes") {
    const message = `${login} may create tasks in this namespace, and the integration allows them for ${owner}/${name}.`;
    return { reason: "KubernetesAllowed", message };
  }
  if (!isPermitted(integration, permission)) {
    const message = `@${login} may stop only work that they requested.`;
    return { reason: ownWorkOnly, message };
  }
  const has = permission?.permission.toLowerCase();
  return { reason: "PermissionChecked", message: `@${login} has ${has} access on ${owner}/${name}.` };
}

function refused(reason: string, message: string): Decision {
  return { conditions: [{ type: "Authorized", status: "False", reason, message }] };
}

function undecided(reason: string, message: string): Decision {
  return { conditions: [{ type: "Authorized", status: "Unknown", reason, message }], requeueAfterMs: 60_000 };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
