import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { Integration } from "../../../integrations/types.ts";
import type { AgentTaskConfig } from "../deps.ts";
import { requesterOf } from "../state.ts";

/** So many tasks at once. Tasks with the same `key` share it. */
export interface Limit {
  key: string;
  max: number;
  /** For people: what is limited, to how much, and where. The beginning of a sentence or its end. */
  describe: string;
}

/** What a task's limits are read from. */
export interface LimitSources {
  task: AgentTask;
  integration: Integration | undefined;
  profile: AgentProfile | undefined;
  config: Pick<AgentTaskConfig, "concurrency">;
}

/** Every limit a task counts against, the narrowest first, so that the one that is named is the one that helps. */
export function limitsOf(sources: LimitSources): Limit[] {
  return [...integrationLimits(sources), ...profileLimits(sources), ...installationLimits(sources)];
}

/** How many tasks go first; the same words in conditions and in reports. */
export function aheadOf(position: number): string {
  return position === 0 ? "next in line" : `${position} ahead`;
}

/** On whose behalf the task works, for fairness; people of different integrations are different people. */
export function actorKey(task: AgentTask): string {
  const { id, login } = requesterOf(task);
  return `${integrationKey(task)}/${id || login}`;
}

function integrationLimits({ task, integration }: LimitSources): Limit[] {
  if (!integration) return [];
  const { tasks, perRepository, perActor } = integration.spec.concurrency;
  const key = integrationKey(task);
  const repository = task.spec.repository;
  const of = `integration ${integration.metadata.name}`;
  const actor = limit(`actor/${actorKey(task)}`, perActor, `of @${requesterOf(task).login}`, `${of}, perActor`);
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

/** `set` names the field that sets it, where a person of the team can change it. */
function limit(key: string, max: number, which: string, set?: string): Limit {
  const [tasks, run] = max === 1 ? ["task", "runs"] : ["tasks", "run"];
  return {
    key,
    max,
    describe: `at most ${max} ${tasks} ${which} ${run} at once${set === undefined ? "" : ` (${set})`}`,
  };
}

function integrationKey(task: AgentTask): string {
  return `${task.metadata.namespace}/${task.spec.integrationRef.kind}/${task.spec.integrationRef.name}`;
}
