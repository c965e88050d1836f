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

/** Metadata of an object of ours, as the API server sends it. */
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

/** One object of a kind of ours. */
export interface Resource<Spec, Status> {
  apiVersion?: string;
  kind?: string;
  metadata: Metadata;
  spec: Spec;
  status?: Status;
}

export type GitHubIntegration = Resource<GitHubIntegrationSpec, GitHubIntegrationStatus>;
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

/** Everything the generator and the clients need to know of one kind. `T` ties the object's shape to it. */
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
  /** Longest name of an object; pods and secrets are named after it. */
  maxNameLength: number;
  columns: Column[];
  readonly _type?: T;
}

const age: Column = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Since creation.",
};
const ready: Column = {
  name: "Ready",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  description: "Whether it is ready.",
};
const reason: Column = {
  name: "Reason",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
  description: "Why, in one word.",
};

export const GitHubIntegrationKind: Kind<GitHubIntegration> = {
  group,
  version,
  kind: "GitHubIntegration",
  plural: "githubintegrations",
  singular: "githubintegration",
  namespaced: true,
  shortNames: ["ghi"],
  description: "Connects GitHub or a GitHub Enterprise Server: which repositories ring, for what, and who may.",
  spec: gitHubIntegrationSpec,
  status: gitHubIntegrationStatus,
  maxNameLength: 32,
  columns: [
    ready,
    reason,
    { name: "Bot", type: "string", jsonPath: ".status.bot.login", description: "Who the bot is." },
    { name: "Suspended", type: "boolean", jsonPath: ".spec.suspend", description: "Whether new tasks are stopped." },
    {
      name: "Last Task",
      type: "date",
      jsonPath: ".status.lastTaskTime",
      description: "When a delivery last made a task.",
    },
    age,
    {
      name: "Webhook",
      type: "string",
      jsonPath: ".status.webhookURL",
      description: "Where GitHub delivers to.",
      wide: true,
    },
  ],
};

export const AgentTaskKind: Kind<AgentTask> = {
  group,
  version,
  kind: "AgentTask",
  plural: "agenttasks",
  singular: "agenttask",
  namespaced: true,
  shortNames: ["at"],
  description: "One piece of work, or one command, that came through a desk.",
  spec: agentTaskSpec,
  status: agentTaskStatus,
  maxNameLength: 63,
  columns: [
    { name: "Phase", type: "string", jsonPath: ".status.phase", description: "Where it stands." },
    {
      name: "Integration",
      type: "string",
      jsonPath: ".spec.integrationRef.name",
      description: "The desk it came through.",
    },
    { name: "Subject", type: "string", jsonPath: ".spec.source.subject.key", description: "What it is about." },
    { name: "Actor", type: "string", jsonPath: ".spec.actor.login", description: "Who asked." },
    { name: "Change", type: "string", jsonPath: ".status.result.changeURL", description: "The pull request." },
    age,
    {
      name: "Command",
      type: "string",
      jsonPath: ".spec.command",
      description: "The command, if it is one.",
      wide: true,
    },
    {
      name: "Conversation",
      type: "string",
      jsonPath: ".status.conversation",
      description: "The conversation in force.",
      wide: true,
    },
    { name: "Branch", type: "string", jsonPath: ".status.result.branch", description: "The branch.", wide: true },
    {
      name: "Pod",
      type: "string",
      jsonPath: ".status.attempts[-1:].podName",
      description: "The newest sandbox.",
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
  description: "Which agent works, in what sandbox, within which limits, and what may come out.",
  spec: agentProfileSpec,
  status: agentProfileStatus,
  maxNameLength: 32,
  columns: [
    ready,
    reason,
    { name: "Agent", type: "string", jsonPath: ".spec.agent.type", description: "Which agent." },
    age,
    { name: "Image", type: "string", jsonPath: ".spec.agent.image", description: "Its image.", wide: true },
  ],
};

/** Every kind, in the order of the reference. */
export const kinds = [GitHubIntegrationKind, AgentTaskKind, AgentProfileKind] as const;
