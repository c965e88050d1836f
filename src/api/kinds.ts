import type { z } from "zod";
import {
  agentProfileSpec,
  agentProfileStatus,
  type AgentProfileSpec,
  type AgentProfileStatus,
} from "./agent-profile.ts";
import { agentTaskStatus, type AgentTaskStatus } from "./agent-task-status.ts";
import { agentTaskSpec, type AgentTaskSpec } from "./agent-task.ts";
import { group, version } from "./common.ts";
import {
  gitHubIntegrationSpec,
  gitHubIntegrationStatus,
  type GitHubIntegrationSpec,
  type GitHubIntegrationStatus,
} from "./github-integration.ts";
import { slackAppSpec, slackAppStatus, type SlackAppSpec, type SlackAppStatus } from "./slack-app.ts";

/** Metadata of a Bellhop object, as the API server sends it. */
interface Metadata {
  name: string;
  namespace: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: {
    apiVersion: string;
    kind: string;
    name: string;
    uid: string;
    controller?: boolean;
    blockOwnerDeletion?: boolean;
  }[];
}

/** One object of a Bellhop kind. */
export interface Resource<Spec, Status> {
  apiVersion?: string;
  kind?: string;
  metadata: Metadata;
  spec: Spec;
  status?: Status;
}

export type GitHubIntegration = Resource<GitHubIntegrationSpec, GitHubIntegrationStatus>;
export type SlackApp = Resource<SlackAppSpec, SlackAppStatus>;
export type AgentTask = Resource<AgentTaskSpec, AgentTaskStatus>;
export type AgentProfile = Resource<AgentProfileSpec, AgentProfileStatus>;

/** A column of `kubectl get`. `wide` columns need `-o wide`. */
interface Column {
  name: string;
  type: "string" | "integer" | "date" | "boolean";
  jsonPath: string;
  description: string;
  wide?: boolean;
}

/** The description of one kind, for the generator and the clients. `T` is the type of its objects. */
export interface Kind<T> {
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  namespaced: true;
  shortNames: string[];
  description: string;
  spec: z.ZodObject;
  status: z.ZodObject;
  /** Maximum length of an object's name; the names of pods and Secrets are derived from it. */
  maxNameLength: number;
  columns: Column[];
  readonly _type?: T;
}

const age: Column = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since creation.",
};
const ready: Column = {
  name: "Ready",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  description: "Status of the condition `Ready`.",
};
const reason: Column = {
  name: "Reason",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
  description: "Reason of the condition `Ready`.",
};

/** The columns of every kind of integration. `kubectl get bellhop` shows the kinds one below the other. */
const integrationColumns: Column[] = [
  ready,
  reason,
  { name: "Bot", type: "string", jsonPath: ".status.bot.login", description: "Login of the bot." },
  {
    name: "Suspended",
    type: "boolean",
    jsonPath: ".spec.suspend",
    description: "Whether the creation of tasks is stopped.",
  },
  {
    name: "URL",
    type: "string",
    jsonPath: ".status.webhookURL",
    description: "The URL that the provider sends deliveries to.",
  },
  {
    name: "Last Task",
    type: "date",
    jsonPath: ".status.lastTaskTime",
    description: "When a delivery last created a task.",
  },
  age,
];

export const GitHubIntegrationKind: Kind<GitHubIntegration> = {
  group,
  version,
  kind: "GitHubIntegration",
  plural: "githubintegrations",
  singular: "githubintegration",
  namespaced: true,
  shortNames: ["ghi"],
  description:
    "Connects GitHub or a GitHub Enterprise Server: the repositories and events that create tasks, and the people who may start them.",
  spec: gitHubIntegrationSpec,
  status: gitHubIntegrationStatus,
  maxNameLength: 32,
  columns: [...integrationColumns],
};

export const SlackAppKind: Kind<SlackApp> = {
  group,
  version,
  kind: "SlackApp",
  plural: "slackapps",
  singular: "slackapp",
  namespaced: true,
  shortNames: ["ska"],
  description:
    "Connects a Slack app: the messages and commands that create tasks, the people who may start them, and the code host where changes go.",
  spec: slackAppSpec,
  status: slackAppStatus,
  maxNameLength: 32,
  columns: integrationColumns,
};

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
    { name: "Actor", type: "string", jsonPath: ".spec.actor.login", description: "The person who asked for the task." },
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
export const kinds = [GitHubIntegrationKind, SlackAppKind, AgentTaskKind, AgentProfileKind] as const;
