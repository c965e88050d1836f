import { manager, names } from "../../../api/annotations.ts";
import { AgentTaskKind, type AgentTask } from "../../../api/kinds.ts";
import type { Repository } from "../../../api/agent-task.ts";
import { permissions } from "../../../integrations/code-host.ts";
import { isProviderFailure, ProviderError } from "../../../integrations/errors.ts";
import { cutText } from "../../../intake/cut-text.ts";
import { taskName } from "../../../intake/task-name.ts";
import { isAlreadyExists } from "../../../kube/errors.ts";
import type { Draft } from "../../../kube/types.ts";
import { BellhopError } from "../../../shared/errors.ts";
import type { StatusPatch } from "../facts.ts";
import { holds, isOver, isWaitingForApproval, isWork, personAtCodeHost, promptOfTask, repositoryOf } from "../state.ts";
import { accountOf } from "../same-person.ts";
import { askPerson } from "../ask.ts";
import { asStep, type AnyStep, type Step, type StepContext } from "../steps.ts";
import { checksRunning } from "../publish/change-text.ts";
import { decideCommand, needsApprover, type CommandReading } from "./decide.ts";
import { commandRefused, commandSucceeded, type CommandAction } from "./ends.ts";
import { isAsPrivateAsRepository, lastPublished, lastWork, waitingForApproval, type TaskRequest } from "./work-of.ts";
import { defined } from "../../../shared/defined.ts";

const continuePrompt = "Continue the work of this conversation from the current state of the branch.";

/** Carries out commands, which are tasks that do no work of their own. */
const commands: Step<CommandReading, CommandAction> = {
  name: "commands",
  condition: "Succeeded",
  concerns: ({ task }) => !isWork(task) && holds(task, "Authorized") && !isOver(task),
  gather: readCommandContext,
  decide: (facts, reading, now) => decideCommand(facts, reading, now),
  apply: (context, action) => carryOut(context, action),
};

/** The command step of a task. */
export const commandStep: AnyStep = asStep(commands);

/** Reads the profile of the work: it decides whether the checks of a commit are held. The command's own profile is the integration's. */
async function readCommandContext(context: StepContext): Promise<CommandReading> {
  const { task, tasks } = context.facts;
  const { namespace } = task.metadata;
  const waiting = lastPublished(task, tasks);
  const asked = waitingForApproval(task, tasks)[0] ?? (task.spec.command === "approve" ? waiting : undefined);
  return {
    profile: waiting && context.deps.profiles.get({ namespace, name: waiting.spec.profileRef.name }),
    ...(asked && needsApprover(task, asked) ? { approver: await readApprover(context, asked) } : {}),
    ...(await readPrivacy(context)),
  };
}

/** Whether the repository of the work that `retry` or `continue` repeats is still private. A repository that cannot be read counts as public. */
async function readPrivacy(context: StepContext): Promise<Pick<CommandReading, "isPrivate">> {
  const { task, tasks } = context.facts;
  const isRepetition = task.spec.command === "retry" || task.spec.command === "continue";
  const original = isRepetition ? lastWork(task, tasks) : undefined;
  const at = original && repositoryOf(original);
  if (!original || !at || !isAsPrivateAsRepository(original, task)) return {};
  const host = await context.codeHost();
  try {
    return { isPrivate: (await host.repository(at, context.signal)).private };
  } catch (error) {
    if (!isProviderFailure(error, "NotFound")) throw error;
    return { isPrivate: false };
  }
}

/** The permission of the command's sender on the repository of the work. */
async function readApprover(context: StepContext, work: AgentTask): Promise<CommandReading["approver"]> {
  const { task, integrationOf } = context.facts;
  const person = accountOf(task, task.spec.actor, integrationOf);
  const repository = repositoryOf(work);
  if (!person || !repository) return "Nobody";
  const { permission, isBot } = await (await context.codeHost()).permission(repository, person, context.signal);
  const may = !isBot && permissions.indexOf(permission) >= permissions.indexOf("Write");
  return {
    may,
    has: `${permission === "None" ? "no" : permission.toLowerCase()} access on ${repository.owner}/${repository.name}`,
  };
}

async function carryOut(context: StepContext, action: CommandAction): Promise<StatusPatch> {
  if (action.do === "stop") return requestStop(context, action.targets);
  if (action.do === "again") return startAgain(context, action.original);
  if (action.do === "approve") return approve(context, action);
  if (action.do === "use") return answerQuestion(context, action);
  if (action.do === "ask") return askSender(context, action.target);
  const isRecorded = await recordRequest(context, action.target, { onlyIf: isWaitingForApproval });
  return isRecorded
    ? commandSucceeded("RunApproved", `Approved: ${action.target} runs.`)
    : commandRefused("NothingToApprove", `${action.target} no longer waits for an approval.`);
}

async function answerQuestion(
  context: StepContext,
  { target, repository }: Extract<CommandAction, { do: "use" }>,
): Promise<StatusPatch> {
  const isRecorded = await recordRequest(context, target, { onlyIf: ({ status }) => status?.question !== undefined });
  return isRecorded
    ? commandSucceeded("RepositoryChosen", `${target} works in ${repository}.`)
    : commandRefused("NothingAsked", `${target} no longer waits for the name of a repository.`);
}

/** Shows the sender the menu of repositories. After a crash it is shown again. */
async function askSender(context: StepContext, target: string): Promise<StatusPatch> {
  const { deps, facts } = context;
  const work = deps.tasks.get({ namespace: facts.task.metadata.namespace, name: target });
  if (!work?.status?.question)
    return commandRefused("NothingAsked", `${target} no longer waits for the name of a repository.`);
  try {
    await askPerson(context, { task: work, person: facts.task.spec.actor.id });
  } catch (error) {
    if (!isEndOfAsking(error)) throw error;
    return commandRefused(
      "NoMenu",
      "The menu of repositories could not be shown here. Name the repository: `use owner/name`.",
    );
  }
  return commandSucceeded("MenuShown", `Asked @${facts.task.spec.actor.login} to choose a repository.`);
}

/**
 * Whether asking must not be tried again: it was refused, or nobody knows whether the menu was shown, and it cannot be found again. A rate limit
 * and a failure before the call mean that it was not.
 */
function isEndOfAsking(error: unknown): boolean {
  const isUnsent = isProviderFailure(error, "RateLimited");
  return (
    (error instanceof ProviderError && !isUnsent) || (error instanceof BellhopError && error.code === "NotSupported")
  );
}

async function requestStop(context: StepContext, targets: readonly string[]): Promise<StatusPatch> {
  for (const name of targets) await recordRequest(context, name, {});
  return commandSucceeded("Stopped", `Asked ${targets.join(", ")} to stop.`);
}

async function startAgain(context: StepContext, name: string): Promise<StatusPatch> {
  const { deps, facts, signal } = context;
  const { namespace } = facts.task.metadata;
  // Read from the API server: the cache has no prompts.
  const [command, original] = await Promise.all([
    context.live(),
    deps.kube.get(AgentTaskKind, { namespace, name }, signal),
  ]);
  const made = taskAgain(command, original, facts.integration?.metadata.uid ?? "");
  try {
    await deps.kube.create(AgentTaskKind, made, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  return commandSucceeded("Retried", `Started again as task ${made.metadata.name}.`);
}

/**
 * Builds the task that repeats an earlier task (`retry`) or continues it (`continue`). Its name comes from the command's cause, so that it is
 * created once; its source and actor are the command's, so that it is authorised again; its prompt and profile are the earlier task's.
 */
export function taskAgain(command: AgentTask, original: AgentTask, integrationUID: string): Draft<AgentTask> {
  const { spec } = command;
  const kind = spec.command ?? "retry";
  const prompt = [kind === "continue" ? continuePrompt : undefined, promptOfTask(original)]
    .filter((part) => part !== undefined)
    .join("\n\n");
  return {
    metadata: {
      name: taskName(spec.integrationRef.name, integrationUID, spec.source.cause, kind),
      namespace: command.metadata.namespace,
      labels: { [names.integration]: spec.integrationRef.name, [names.managedBy]: manager },
      finalizers: [names.finalizer],
    },
    spec: {
      integrationRef: spec.integrationRef,
      source: spec.source,
      actor: spec.actor,
      conversation: spec.conversation,
      // As the integration of the command has it now: the earlier task may name a code host that an administrator has removed since.
      ...defined({ codeHostRef: spec.codeHostRef, repository: spec.repository }),
      ...(prompt === "" ? {} : { prompt: cutText(prompt) }),
      profileRef: original.spec.profileRef,
      ...(original.spec.limits ? { limits: original.spec.limits } : {}),
      retryOf: { name: original.metadata.name },
    },
  };
}

async function approve(
  context: StepContext,
  { target, branch, commit }: Extract<CommandAction, { do: "approve" }>,
): Promise<StatusPatch> {
  const { task } = context.facts;
  const codeHost = await context.codeHost();
  const repository = repositoryAt(context, target);
  if (!repository) throw new BellhopError("NotSupported", "The approved work has no repository.");
  const message = `Run the checks of ${commit.slice(0, 7)}\n\nApproved by ${task.spec.actor.login}.`;
  try {
    const { sha } = await codeHost.releaseChecks(repository, { branch, parent: commit, message }, context.signal);
    await recordRequest(context, target, { commit: sha });
    await showApprovalInChange(context, { repository, branch, commit });
    return commandSucceeded(
      "Approved",
      `Approved ${commit.slice(0, 7)}: an empty commit without the skip marker, ${sha.slice(0, 7)}, starts the checks.`,
    );
  } catch (error) {
    if (isProviderFailure(error, "Conflict", "NotFound")) return commandRefused("CommitMoved", error.message);
    throw error;
  }
}

/** The repository of the approved work; the command itself may come from a thread that belongs to none. */
function repositoryAt({ deps, facts }: StepContext, target: string): Repository | undefined {
  const work = deps.tasks.get({ namespace: facts.task.metadata.namespace, name: target });
  return work && repositoryOf(work);
}

/** Shows the approval in the change's text. The approval is valid even if this fails: the answer to the command shows it as well. */
async function showApprovalInChange(
  context: StepContext,
  { repository, branch, commit }: { repository: Repository; branch: string; commit: string },
): Promise<void> {
  const { deps, facts, signal } = context;
  const { task, integration, codeHostIntegration } = facts;
  const approver = personAtCodeHost(task, integration, task.spec.actor) ?? task.spec.actor;
  try {
    const codeHost = await context.codeHost();
    const change = await codeHost.findChange(repository, branch, signal);
    const mention = codeHostIntegration?.status?.bot?.mention;
    const body = change && codeHost.bodyWith(change.body, { checks: checksRunning(approver, commit), mention });
    if (change && body !== undefined) await codeHost.updateChange(repository, change.number, { body }, signal);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    deps.log.warn({ error, task: task.metadata.name }, "could not update the text of an approved change");
  }
}

/**
 * Records the command in the status of its target task, and the new commit of an approved branch as the result. Idempotent. With `onlyIf` it
 * answers false, and records nothing, if the task as it is now does not fit: the cache may be behind.
 */
async function recordRequest(
  context: StepContext,
  name: string,
  { commit, onlyIf }: { commit?: string; onlyIf?: (target: AgentTask) => boolean },
): Promise<boolean> {
  const { deps, facts, signal } = context;
  const { task } = facts;
  const target = await deps.kube.get(AgentTaskKind, { namespace: task.metadata.namespace, name }, signal);
  const before = target.status?.requests ?? [];
  if (before.some(({ from }) => from === task.metadata.name)) return true;
  if (onlyIf && !onlyIf(target)) return false;
  const request = requestFrom(task);
  // Only the last answer counts, and the list is bounded.
  const requests = request.type === "use" ? before.filter(({ type }) => type !== "use") : before;
  const result = commit === undefined ? {} : { result: { ...target.status?.result, commit } };
  await deps.kube.replaceStatus(
    AgentTaskKind,
    { ...target, status: { ...target.status, ...result, requests: [...requests, request] } },
    { signal },
  );
  return true;
}

function requestFrom({ metadata, spec }: AgentTask): TaskRequest {
  return {
    type: spec.command === "approve" || spec.command === "use" ? spec.command : "stop",
    by: spec.actor.login,
    from: metadata.name,
    ...defined({ argument: spec.commandArgument }),
  };
}
