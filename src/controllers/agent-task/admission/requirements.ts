import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { Integration } from "../../../integrations/integration.ts";
import { checkProfile, type Guardrails } from "../../agent-profile/decide.ts";
import type { AgentTaskConfig } from "../config.ts";
import { codeHostRefOf, isKubernetes, personAtCodeHost, repositoryOf, requesterOf } from "../state.ts";

/** Objects that a task depends on, from the caches. */
export interface Dependencies {
  task: AgentTask;
  integration: Integration | undefined;
  /** The integration of the code host where the change goes. */
  codeHostIntegration: Integration | undefined;
  profile: AgentProfile | undefined;
  guardrails: Guardrails;
}

/** A limit for the number of tasks that run at once. Tasks with the same `key` share the limit. */
export interface Limit {
  key: string;
  max: number;
  /** Human-readable: the limited object, the maximum, and the field that sets it. Fits at the beginning or the end of a sentence. */
  describe: string;
}

/** Objects and configuration that define a task's limits. */
export interface LimitSources {
  task: AgentTask;
  integration: Integration | undefined;
  profile: AgentProfile | undefined;
  config: Pick<AgentTaskConfig, "concurrency">;
}

/** Why a task cannot be admitted even within all limits: its integration or profile is missing or not ready. Undefined if both are ready. */
export function unready(
  dependencies: Dependencies,
):
  | { reason: "IntegrationNotFound" | "CodeHostNotFound" | "CodeHostSuspended" | "ProfileNotReady"; message: string }
  | undefined {
  const { integrationRef } = dependencies.task.spec;
  if (!dependencies.integration) {
    return {
      reason: "IntegrationNotFound",
      message: `${integrationRef.kind} ${integrationRef.name} does not exist in this namespace; the task waits until it is created.`,
    };
  }
  return unreadyCodeHost(dependencies) ?? unreadyProfile(dependencies);
}

/**
 * A suspended code host takes no new work: its gateway creates no tasks, and those of a chat wait here. Tasks that the code host itself
 * requested before the suspension go on, as they always did.
 */
function unreadyCodeHost({
  task,
  codeHostIntegration,
}: Dependencies): { reason: "CodeHostNotFound" | "CodeHostSuspended"; message: string } | undefined {
  const { kind, name } = codeHostRefOf(task);
  const codeHost = `${kind} ${name}, the code host of this task,`;
  if (!codeHostIntegration) {
    const message = `${codeHost} does not exist in this namespace; the task waits until it is created.`;
    return { reason: "CodeHostNotFound", message };
  }
  if (task.spec.codeHostRef === undefined || !codeHostIntegration.spec.suspend) return undefined;
  const message = `${codeHost} is suspended (spec.suspend); the task waits until it is resumed.`;
  return { reason: "CodeHostSuspended", message };
}

/** Checks the profile alone. It checks the spec and not the status, because the status follows a change of the spec with a delay. */
export function unreadyProfile({
  task,
  profile,
  guardrails,
}: Pick<Dependencies, "task" | "profile" | "guardrails">): { reason: "ProfileNotReady"; message: string } | undefined {
  const { name } = task.spec.profileRef;
  if (!profile) return { reason: "ProfileNotReady", message: `AgentProfile ${name} does not exist in this namespace` };
  const { ok, message } = checkProfile(profile, guardrails);
  return ok ? undefined : { reason: "ProfileNotReady", message: `AgentProfile ${name} is not ready: ${message}` };
}

/** Lists every limit that a task counts against, the narrowest first: the first full limit is the one that messages name. */
export function limitsOf(sources: LimitSources): Limit[] {
  return [...integrationLimits(sources), ...profileLimits(sources), ...installationLimits(sources)];
}

/** Renders how many tasks are ahead; the same text in conditions and in reports. */
export function aheadOf(position: number): string {
  return position === 0 ? "next in line" : `${position} ahead`;
}

/**
 * Key of the person on whose behalf the task works, for fairness and `perActor`. A person of a chat whose account at the code host is known
 * (`spec.access.people`) counts as that account, together with what the account requests at the code host's integration. Other persons of two
 * integrations have two keys.
 */
export function actorKey(task: AgentTask, integration: Integration | undefined): string {
  const { id, login } = requesterOf(task);
  const account = isKubernetes(task) ? undefined : personAtCodeHost(task, integration, { id, login });
  return account
    ? `${keyOf(task, codeHostRefOf(task))}/${account.id || account.login}`
    : `${integrationKey(task)}/${id || login}`;
}

function integrationLimits({ task, integration }: LimitSources): Limit[] {
  if (!integration) return [];
  const { tasks, perRepository, perActor } = integration.spec.concurrency;
  const key = integrationKey(task);
  const repository = repositoryOf(task);
  const of = `integration ${integration.metadata.name}`;
  const actor = limit(
    `actor/${actorKey(task, integration)}`,
    perActor,
    `of @${requesterOf(task).login}`,
    `${of}, perActor`,
  );
  const all = limit(`integration/${key}`, tasks, `of ${of}`, "concurrency.tasks");
  if (!repository) return [actor, all];
  const where = `in ${repository.owner}/${repository.name}`;
  const repositoryKey = `repository/${key}/${repository.host}/${repository.id}`;
  return [actor, limit(repositoryKey, perRepository, where, `${of}, perRepository`), all];
}

function profileLimits({ task, profile }: LimitSources): Limit[] {
  if (!profile) return [];
  const { name, namespace } = profile.metadata;
  const { tasks } = profile.spec.concurrency;
  return [limit(`profile/${namespace}/${name}`, tasks, `of profile ${task.spec.profileRef.name}`, "concurrency.tasks")];
}

function installationLimits({ task, config }: LimitSources): Limit[] {
  const { perNamespace, cluster } = config.concurrency;
  const namespace = task.metadata.namespace;
  return [
    limit(`namespace/${namespace}`, perNamespace, `in namespace ${namespace}`),
    limit("cluster", cluster, "in the whole installation"),
  ];
}

/** `set` names the field that sets the limit, if the team can change it. */
function limit(key: string, max: number, which: string, set?: string): Limit {
  const [tasks, run] = max === 1 ? ["task", "runs"] : ["tasks", "run"];
  return {
    key,
    max,
    describe: `at most ${max} ${tasks} ${which} ${run} at once${set === undefined ? "" : ` (${set})`}`,
  };
}

function integrationKey(task: AgentTask): string {
  return keyOf(task, task.spec.integrationRef);
}

function keyOf({ metadata }: AgentTask, { kind, name }: { kind: string; name: string }): string {
  return `${metadata.namespace}/${kind}/${name}`;
}
