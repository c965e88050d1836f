import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { Integration } from "../../../integrations/types.ts";
import type { AgentTaskConfig } from "../deps.ts";
import { requesterOf } from "../state.ts";

/** So many tasks at once. Tasks with the same `key` share it. */
export interface Limit {
  key: string;
  max: number;
  /** For people: what is limited, and to how much. */
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
  const actor = limit(`actor/${actorKey(task)}`, perActor, `of @${requesterOf(task).login} (${of}, perActor)`);
  const all = limit(`integration/${key}`, tasks, `of ${of} (concurrency.tasks)`);
  if (!repository) return [actor, all];
  const where = `in ${repository.owner}/${repository.name} (${of}, perRepository)`;
  return [actor, limit(`repository/${key}/${repository.host}/${repository.id}`, perRepository, where), all];
}

function profileLimits({ task, profile }: LimitSources): Limit[] {
  if (!profile) return [];
  const { name, namespace } = profile.metadata;
  const max = profile.spec.concurrency.tasks;
  return [limit(`profile/${namespace}/${name}`, max, `of profile ${task.spec.profileRef.name} (concurrency.tasks)`)];
}

function installationLimits({ task, config }: LimitSources): Limit[] {
  const { perNamespace, cluster } = config.concurrency;
  const namespace = task.metadata.namespace;
  return [
    limit(`namespace/${namespace}`, perNamespace, `in namespace ${namespace}`),
    limit("cluster", cluster, "in the whole installation"),
  ];
}

function limit(key: string, max: number, what: string): Limit {
  return { key, max, describe: `${max} at once ${what}` };
}

function integrationKey(task: AgentTask): string {
  return `${task.metadata.namespace}/${task.spec.integrationRef.kind}/${task.spec.integrationRef.name}`;
}
