import { agentProfileSpec } from "../../api/agent-profile.ts";
import type { AgentTaskSpec, TaskSource } from "../../api/agent-task.ts";
import type { AgentTaskStatus, TaskCondition } from "../../api/agent-task-status.ts";
import { gitHubIntegrationSpec } from "../../api/github-integration.ts";
import type { AgentProfile, AgentTask } from "../../api/kinds.ts";
import type { Integration } from "../../integrations/types.ts";
import type { Condition } from "../../kube/types.ts";
import type { TaskFacts } from "./facts.ts";

/** Noon in every test. */
export const noon = new Date("2026-03-01T12:00:00Z");

/** What a test says of a task; the rest is an ordinary mention on acme/shop#42 by @ana. */
export interface TaskOverrides {
  name?: string;
  namespace?: string;
  uid?: string;
  createdAt?: string;
  deletedAt?: string;
  actor?: { id: string; login: string };
  source?: Partial<TaskSource>;
  spec?: Partial<AgentTaskSpec>;
  status?: AgentTaskStatus;
  /** Conditions that are True, or as given. */
  conditions?: (TaskCondition | Partial<Condition>)[];
}

/** A task as the API server would show it. */
export function aTask(overrides: TaskOverrides = {}): AgentTask {
  const name = overrides.name ?? "shop-abc";
  const metadata = {
    name,
    namespace: overrides.namespace ?? "team",
    uid: overrides.uid ?? `uid-${name}`,
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: overrides.createdAt ?? noon.toISOString(),
    finalizers: ["bellhop.dev/cleanup"],
    ...(overrides.deletedAt === undefined ? {} : { deletionTimestamp: overrides.deletedAt }),
  };
  return {
    apiVersion: "bellhop.dev/v1alpha1",
    kind: "AgentTask",
    metadata,
    spec: aSpec(overrides),
    status: { ...overrides.status, conditions: (overrides.conditions ?? []).map(aCondition) },
  };
}

function aSpec({ actor, source, spec }: TaskOverrides): AgentTaskSpec {
  return {
    integrationRef: { kind: "GitHubIntegration", name: "shop" },
    source: {
      provider: "github",
      event: "issue_comment",
      action: "created",
      cause: "issue_comment/7001",
      subject: { type: "Issue", key: "acme/shop#42", number: 42, title: "Fix login" },
      object: { type: "IssueComment", id: "7001" },
      text: "@bellhop fix it",
      receivedAt: noon.toISOString(),
      ...source,
    },
    actor: actor ?? { id: "501", login: "ana" },
    conversation: "acme/shop#42",
    repository: { id: "9001", host: "github.com", owner: "acme", name: "shop" },
    prompt: "fix it",
    profileRef: { name: "default" },
    ...spec,
  };
}

function aCondition(given: TaskCondition | Partial<Condition>): Condition {
  const condition = typeof given === "string" ? { type: given } : given;
  return {
    status: "True",
    reason: "Test",
    message: "",
    lastTransitionTime: noon.toISOString(),
    type: "",
    ...condition,
  };
}

/** An integration for github.com that covers acme/shop. */
export function anIntegration(spec: object = {}): Integration {
  return {
    kind: "GitHubIntegration",
    metadata: { name: "shop", namespace: "team", uid: "uid-shop" },
    spec: gitHubIntegrationSpec.parse({
      repositories: ["acme/shop"],
      credentials: { token: { secretRef: { name: "bot", key: "token" } } },
      triggers: [{ name: "mention", mention: {} }],
      profileRef: { name: "default" },
      ...spec,
    }),
    status: { bot: { id: "99", login: "bellhop[bot]", mention: "bellhop" } },
  };
}

/** A profile with the schema's defaults. */
export function aProfile(spec: object = {}): AgentProfile {
  return {
    metadata: { name: "default", namespace: "team", uid: "uid-profile" },
    spec: agentProfileSpec.parse({ agent: { type: "custom", image: "agent:1", command: ["/run"] }, ...spec }),
  };
}

/** Facts around a task. */
export function facts(overrides: Partial<TaskFacts> = {}): TaskFacts {
  const task = overrides.task ?? aTask();
  return {
    integration: anIntegration(),
    profile: aProfile(),
    tasks: [task],
    sandbox: undefined,
    admission: { state: "Unknown" },
    ...overrides,
    task,
  };
}
