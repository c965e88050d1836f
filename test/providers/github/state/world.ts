import type { Clock } from "../../../../src/shared/clock.ts";
import type { Account, App, Installation, Token } from "./accounts.ts";
import type { CheckRun, CheckSuite, CommitStatus, WorkflowRun } from "./checks.ts";
import type { Delivery, Hook } from "./hooks.ts";
import type { Comment, Issue, Review, ReviewComment } from "./issues.ts";
import type { Repository } from "./repositories.ts";

/** Everything that is remembered: plain data with references, so that it can be written down whole. */
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

/** Something that happened, on its way to the hooks. `payload` lacks what is added for each hook (`installation`). */
export interface Happening {
  event: string;
  action?: string;
  repo?: Repository;
  /** Goes to this App's hook only (`installation`, `ping`, …). */
  onlyApp?: App;
  /** Goes to this hook only (`ping`). */
  onlyHook?: Hook;
  installation?: Installation;
  sender: Account;
  payload: Record<string, unknown>;
}

/** Who does something, and through which App if any. */
export interface Actor {
  account: Account;
  app: App | null;
}

/** The stand-in's inside: what it knows, and the few things it acts with. */
export interface World {
  data: Data;
  clock: Clock;
  /** Web address without trailing slash; the REST root is `${baseUrl()}/api/v3`. */
  baseUrl: () => string;
  /** Folder of the bare repositories. */
  reposDir: string;
  /** Hands a happening to every hook that wants it; returns at once. */
  emit: (happening: Happening) => void;
}

/** An empty memory. Ids start high enough to look like GitHub's, and count up. */
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

/** The next id; one sequence for everything, so that no id is ever two things. */
export function newId(world: World): number {
  return world.data.nextId++;
}

/** GitHub's deliveries are far beyond 2^53: whoever reads their ids as numbers asks for another one. */
const firstDeliveryId = 1_864_203_551_777_000_000n;

/** The id of the next delivery. */
export function newDeliveryId(world: World): string {
  return String(firstDeliveryId + BigInt(newId(world)));
}

/** Now, as GitHub writes it: UTC, whole seconds. */
export function timestamp(world: World): string {
  return stamp(world.clock.now());
}

/** A time as GitHub writes it. */
export function stamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
