import {
  agentProfileSpec,
  agentProfileStatus,
  type AgentProfileSpec,
  type AgentProfileStatus,
} from "./agent-profile.ts";
import { agentTaskStatus, type AgentTaskStatus } from "./agent-task-status.ts";
import { agentTaskSpec, type AgentTaskSpec } from "./agent-task.ts";
import { group, version } from "./common.ts";
import { integrationKinds } from "./integration-kinds.ts";
import { age, ready, reason, type Kind, type Resource } from "./kind.ts";

export type AgentTask = Resource<AgentTaskSpec, AgentTaskStatus>;
export type AgentProfile = Resource<AgentProfileSpec, AgentProfileStatus>;

export const AgentTaskKind: Kind<AgentTask> = {
  group,
  version,
  kind: "AgentTask",
  plural: "agenttasks",
  singular: "agenttask",
  namespaced: true,
  shortNames: ["at"],
  description: "One piece of work, or one command, that an event of an integration created.",
  spec: agentTaskSpec,
  status: agentTaskStatus,
  maxNameLength: 63,
  columns: [
    { name: "Phase", type: "string", jsonPath: ".status.phase", description: "State of the task." },
    {
      name: "Integration",
      type: "string",
      jsonPath: ".spec.integrationRef.name",
      description: "The integration whose event created the task.",
    },
    {
      name: "Subject",
      type: "string",
      jsonPath: ".spec.source.subject.key",
      description: "The issue, change or commit that the task is about.",
    },
    {
      name: "Actor",
      type: "string",
      jsonPath: ".status.requester.login",
      description:
        "The person who asked for the task, as the provider names them; shown when the task is authorised or refused.",
    },
    { name: "Change", type: "string", jsonPath: ".status.result.changeURL", description: "URL of the pull request." },
    age,
    {
      name: "Command",
      type: "string",
      jsonPath: ".spec.command",
      description: "The command that the task carries, if any.",
      wide: true,
    },
    {
      name: "Conversation",
      type: "string",
      jsonPath: ".status.conversation",
      description: "The conversation that the task belongs to.",
      wide: true,
    },
    {
      name: "Branch",
      type: "string",
      jsonPath: ".status.result.branch",
      description: "The branch that the task pushed.",
      wide: true,
    },
    {
      name: "Pod",
      type: "string",
      jsonPath: ".status.attempts[-1:].podName",
      description: "Pod of the newest attempt.",
      wide: true,
    },
  ],
};

export const AgentProfileKind: Kind<AgentProfile> = {
  group,
  version,
  kind: "AgentProfile",
  plural: "agentprofiles",
  singular: "agentprofile",
  namespaced: true,
  shortNames: ["ap"],
  description: "The agent that runs, its sandbox, its limits, and the limits on its output.",
  spec: agentProfileSpec,
  status: agentProfileStatus,
  maxNameLength: 32,
  columns: [
    ready,
    reason,
    { name: "Agent", type: "string", jsonPath: ".spec.agent.type", description: "Type of the agent." },
    age,
    {
      name: "Image",
      type: "string",
      jsonPath: ".spec.agent.image",
      description: "Container image of the agent.",
      wide: true,
    },
  ],
};

/** Every kind, in the order of the generated reference. */
export const kinds: readonly Kind<unknown>[] = [...Object.values(integrationKinds), AgentTaskKind, AgentProfileKind];
