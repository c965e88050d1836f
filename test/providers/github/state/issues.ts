import type { Account, App } from "./accounts.ts";
import type { Label, Repository } from "./repositories.ts";

/** The eight reactions that GitHub accepts. */
export const reactionContents = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"] as const;

/** A reaction to an issue, a comment or a review comment. */
export interface Reaction {
  id: number;
  user: Account;
  content: string;
  createdAt: string;
}

/** An issue, or the issue side of a pull request (`pull`). */
export interface Issue {
  id: number;
  repo: Repository;
  number: number;
  title: string;
  body: string | null;
  user: Account;
  app: App | null;
  state: "open" | "closed";
  stateReason: string | null;
  locked: boolean;
  labels: Label[];
  assignees: Account[];
  reactions: Reaction[];
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  closedBy: Account | null;
  pull: Pull | null;
}

/** A comment in the conversation of an issue or pull request. */
export interface Comment {
  id: number;
  issue: Issue;
  user: Account;
  app: App | null;
  body: string;
  reactions: Reaction[];
  createdAt: string;
  updatedAt: string;
}

/** One side of a pull request. `repo` is null once a fork is deleted. */
export interface PullSide {
  repo: Repository | null;
  owner: Account;
  ref: string;
  sha: string;
}

/** The fields that a pull request has in addition to its issue. The numbers are recomputed from git when head or base changes. */
export interface Pull {
  id: number;
  issue: Issue;
  head: PullSide;
  base: PullSide & { repo: Repository };
  draft: boolean;
  mergedAt: string | null;
  mergedBy: Account | null;
  mergeCommitSha: string | null;
  maintainerCanModify: boolean;
  requestedReviewers: Account[];
  stats: { commits: number; additions: number; deletions: number; changedFiles: number; mergeable: boolean };
}

/** A submitted review. */
export interface Review {
  id: number;
  pull: Pull;
  user: Account;
  body: string | null;
  state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED" | "PENDING";
  commitId: string;
  submittedAt: string;
}

/** A comment on a line of a pull request's diff; always part of a review. */
export interface ReviewComment {
  id: number;
  pull: Pull;
  review: Review;
  inReplyTo: number | null;
  user: Account;
  body: string;
  path: string;
  line: number | null;
  side: "LEFT" | "RIGHT";
  diffHunk: string;
  commitId: string;
  reactions: Reaction[];
  createdAt: string;
  updatedAt: string;
}
