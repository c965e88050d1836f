import { manager, names } from "../../../api/annotations.ts";
import { AgentTaskKind, type AgentTask } from "../../../api/kinds.ts";
import { isProviderFailure, ProviderError } from "../../../integrations/errors.ts";
import { cutText } from "../../../intake/cut-text.ts";
import { taskName } from "../../../intake/task-name.ts";
import { isAlreadyExists } from "../../../kube/errors.ts";
import type { Draft } from "../../../kube/types.ts";
import { BellhopError } from "../../../shared/errors.ts";
import type { StatusPatch } from "../facts.ts";
import { holds, isOver, isWork } from "../state.ts";
import { asStep, type AnyStep, type Step, type StepContext } from "../steps.ts";
import { bodyApproved } from "../publish/change-text.ts";
import {
  decideCommand,
  commandRefused,
  commandSucceeded,
  lastPublished,
  type CommandAction,
  type CommandReading,
  type TaskRequest,
} from "./decide.ts";
import { defined } from "../../../shared/defined.ts";

const continuePrompt = "Continue the work of this conversation from the current state of the branch.";

/** Carries out commands, which are tasks that do no work of their own. */
const commands: Step<CommandReading, CommandAction> = {
  name: "commands",
  condition: "Succeeded",
  concerns: ({ task }) => !isWork(task) && holds(task, "Authorized") && !isOver(task),
  gather: readProfile,
  decide: (facts, reading) => decideCommand(facts, reading),
  apply: (context, action) => carryOut(context, action),
};

/** The command step of a task. */
export const commandStep: AnyStep = asStep(commands);

/** Reads the profile of the work: it decides whether the checks of a commit are held. The command's own profile is the integration's. */
async function readProfile({ deps, facts: { task, tasks } }: StepContext): Promise<CommandReading> {
  const waiting = lastPublished(task, tasks);
  const { namespace } = task.metadata;
  return { profile: waiting && deps.profiles.get({ namespace, name: waiting.spec.profileRef.name }) };
}

async function carryOut(context: StepContext, action: CommandAction): Promise<StatusPatch> {
  if (action.do === "stop") return requestStop(context, action.targets);
  if (action.do === "again") return startAgain(context, action.original);
  return approve(context, action);
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
  const prompt = [kind === "continue" ? continuePrompt : undefined, original.spec.prompt]
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
      ...(original.spec.repository ? { repository: original.spec.repository } : {}),
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
  const { codeHost } = await context.connection();
  if (!codeHost || !task.spec.repository)
    throw new BellhopError("NotSupported", "Approvals are possible only at a code host.");
  const message = `Run the checks of ${commit.slice(0, 7)}\n\nApproved by ${task.spec.actor.login}.`;
  try {
    const { sha } = await codeHost.releaseChecks(
      task.spec.repository,
      { branch, parent: commit, message },
      context.signal,
    );
    await recordRequest(context, target, { commit: sha });
    await showApprovalInChange(context, { branch, commit });
    return commandSucceeded(
      "Approved",
      `Approved ${commit.slice(0, 7)}: an empty commit without the skip marker, ${sha.slice(0, 7)}, starts the checks.`,
    );
  } catch (error) {
    if (isProviderFailure(error, "Conflict", "NotFound")) return commandRefused("CommitMoved", error.message);
    throw error;
  }
}

/** Shows the approval in the change's text. The approval is valid even if this fails: the answer to the command shows it as well. */
async function showApprovalInChange(
  context: StepContext,
  { branch, commit }: { branch: string; commit: string },
): Promise<void> {
  const { deps, facts, signal } = context;
  const { task } = facts;
  const { codeHost, reporter } = await context.connection();
  if (!codeHost || !reporter || !task.spec.repository) return;
  try {
    const change = await codeHost.findChange(task.spec.repository, branch, signal);
    if (!change) return;
    const body = bodyApproved(change.body, { task, commit }, reporter);
    if (body !== undefined) await codeHost.updateChange(task.spec.repository, change.number, { body }, signal);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    deps.log.warn({ error, task: task.metadata.name }, "could not update the text of an approved change");
  }
}

/** Records the command in the status of its target task, and the new commit of an approved branch as the result. Idempotent. */
async function recordRequest(context: StepContext, name: string, { commit }: { commit?: string }): Promise<void> {
  const { deps, facts, signal } = context;
  const { task } = facts;
  const target = await deps.kube.get(AgentTaskKind, { namespace: task.metadata.namespace, name }, signal);
  const requests = target.status?.requests ?? [];
  if (requests.some(({ from }) => from === task.metadata.name)) return;
  const request = requestFrom(task);
  const result = commit === undefined ? {} : { result: { ...target.status?.result, commit } };
  await deps.kube.replaceStatus(
    AgentTaskKind,
    { ...target, status: { ...target.status, ...result, requests: [...requests, request] } },
    { signal },
  );
}

function requestFrom({ metadata, spec }: AgentTask): TaskRequest {
  return {
    type: spec.command === "approve" ? "approve" : "stop",
    by: spec.actor.login,
    from: metadata.name,
    ...defined({ argument: spec.commandArgument }),
  };
}
