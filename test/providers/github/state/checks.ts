import type { CommitFacts } from "../git/read.ts";
import type { Account } from "./accounts.ts";
import type { Repository } from "./repositories.ts";

/** The possible conclusions of a check. */
export type Conclusion = "success" | "failure" | "cancelled" | "timed_out" | "neutral" | "skipped" | "action_required";

/** A check suite that a push started (its App is GitHub Actions). */
export interface CheckSuite {
  id: number;
  repo: Repository;
  headBranch: string;
  headSha: string;
  headCommit: CommitFacts;
  before: string;
  status: "queued" | "in_progress" | "completed";
  conclusion: Conclusion | null;
  createdAt: string;
  updatedAt: string;
}

/** A job of a workflow run, with its log. */
export interface Job {
  id: number;
  name: string;
  conclusion: Conclusion | null;
  log: string;
  startedAt: string;
  completedAt: string | null;
}

/** The workflow run of a suite. */
export interface WorkflowRun {
  id: number;
  suite: CheckSuite;
  workflowId: number;
  name: string;
  path: string;
  runNumber: number;
  event: "push" | "pull_request";
  actor: Account;
  title: string;
  jobs: Job[];
  createdAt: string;
  updatedAt: string;
}

/** A check run: one per job of GitHub Actions, or one that an App reports. */
export interface CheckRun {
  id: number;
  repo: Repository;
  headSha: string;
  suiteId: number;
  /** The id of the reporting App; for jobs, that of GitHub Actions. */
  appId: number;
  name: string;
  status: "queued" | "in_progress" | "completed";
  conclusion: Conclusion | null;
  externalId: string;
  detailsUrl: string | null;
  output: { title: string | null; summary: string | null; text: string | null };
  startedAt: string;
  completedAt: string | null;
}

/** A commit status. */
export interface CommitStatus {
  id: number;
  repo: Repository;
  sha: string;
  state: string;
  context: string;
  description: string | null;
  targetUrl: string | null;
  creator: Account;
  createdAt: string;
}
