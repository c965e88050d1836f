import type { Clock } from "../../../../src/shared/clock.ts";
import type { Account, App, Installation, Token } from "./accounts.ts";
import type { CheckRun, CheckSuite, CommitStatus, WorkflowRun } from "./checks.ts";
import type { Delivery, Hook } from "./hooks.ts";
import type { Comment, Issue, Review, ReviewComment } from "./issues.ts";
import type { Repository } from "./repositories.ts";

/** The whole state of the stand-in: plain data with references, so that it can be saved as a whole. */
export interface Data {
  nextId: number;
  accounts: Account[];
  apps: App[];
  installations: Installation[];
  tokens: Map<string, Token>;
  repositories: Repository[];
  issues: Issue[];
  comments: Comment[];
  reviews: Review[];
  reviewComments: ReviewComment[];
  hooks: Hook[];
  deliveries: Delivery[];
  suites: CheckSuite[];
  runs: WorkflowRun[];
  checkRuns: CheckRun[];
  statuses: CommitStatus[];
}

/** An event to send to the hooks. `payload` does not contain the fields that are added per hook (`installation`). */
export interface WebhookEvent {
  event: string;
  action?: string;
  repo?: Repository;
  /** Send it only to this App's hook (`installation`, `ping`, …). */
  onlyApp?: App;
  /** Send it only to this hook (`ping`). */
  onlyHook?: Hook;
  installation?: Installation;
  sender: Account;
  payload: Record<string, unknown>;
}

/** The account that acts, and the App through which it acts, if any. */
export interface Actor {
  account: Account;
  app: App | null;
}

/** The stand-in's state, and the functions that its parts share. */
export interface World {
  data: Data;
  clock: Clock;
  /** Web address without trailing slash; the REST root is `${baseUrl()}/api/v3`. */
  baseUrl: () => string;
  /** The folder of all bare repositories. */
  reposDir: string;
  /** Queues an event for every subscribed hook; returns at once. */
  emit: (webhookEvent: WebhookEvent) => void;
}

/** Creates an empty state. Ids count up from a number that looks like GitHub's. */
export function emptyData(): Data {
  return {
    nextId: 4_100_001,
    accounts: [],
    apps: [],
    installations: [],
    tokens: new Map(),
    repositories: [],
    issues: [],
    comments: [],
    reviews: [],
    reviewComments: [],
    hooks: [],
    deliveries: [],
    suites: [],
    runs: [],
    checkRuns: [],
    statuses: [],
  };
}

/** The next id. One sequence serves all objects, so that no two objects have the same id. */
export function newId(world: World): number {
  return world.data.nextId++;
}

/** Ids of GitHub's deliveries are far beyond 2^53: a client that reads them as numbers asks for the wrong delivery. */
const firstDeliveryId = 1_864_203_551_777_000_000n;

/** The id of the next delivery. */
export function newDeliveryId(world: World): string {
  return String(firstDeliveryId + BigInt(newId(world)));
}

/** The current time in GitHub's format: UTC, whole seconds. */
export function timestamp(world: World): string {
  return stamp(world.clock.now());
}

/** A time in GitHub's format. */
export function stamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
