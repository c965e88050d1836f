import type { ChangeText } from "./report.ts";

/** Branches, changes and tokens of a code host. */
export interface CodeHost {
  /** Reads the repository as it is now. Throws `NotFound` if it does not exist any more. */
  repository(
    ref: RepositoryRef,
    signal: AbortSignal,
  ): Promise<
    RepositoryRef & { private: boolean; defaultBranch: string; archived: boolean; empty: boolean; cloneURL: string }
  >;
  /** Mints a token: `read` for fetches, `write` only for the one push. */
  mintToken(repository: RepositoryRef, access: "read" | "write", signal: AbortSignal): Promise<GitCredential>;
  revokeToken(token: string, signal: AbortSignal): Promise<void>;
  /** The tip of a branch and whether any rule protects it; undefined if there is no branch of exactly this name. */
  branch(
    repository: RepositoryRef,
    name: string,
    signal: AbortSignal,
  ): Promise<{ sha: string; protected: boolean } | undefined>;
  /**
   * Why the code host would refuse our push to a branch, as far as its rules show before the push: a sentence with what to do. Undefined if no
   * rule does, or if the rules cannot be read: then its answer to the push decides. `creates`: the push creates the branch.
   */
  pushRefusal(
    repository: RepositoryRef,
    branch: { name: string; creates: boolean },
    signal: AbortSignal,
  ): Promise<string | undefined>;
  change(repository: RepositoryRef, number: number, signal: AbortSignal): Promise<Change | undefined>;
  /** Finds the open change whose head is this branch of the same repository. */
  findChange(repository: RepositoryRef, headRef: string, signal: AbortSignal): Promise<Change | undefined>;
  /** Whether this branch is the base of an open change of the repository. */
  isBase(repository: RepositoryRef, branch: string, signal: AbortSignal): Promise<boolean>;
  openChange(
    repository: RepositoryRef,
    change: { headRef: string; baseRef: string; text: ChangeText; draft: boolean },
    signal: AbortSignal,
  ): Promise<Change>;
  updateChange(repository: RepositoryRef, number: number, change: { body: string }, signal: AbortSignal): Promise<void>;
  /** The body of a change with the parts of ours replaced, and the summary if it is given. Undefined if the body has no parts of ours. Pure. */
  bodyWith(
    body: string,
    parts: Partial<Pick<ChangeText, "newest" | "checks" | "summary" | "mention">>,
  ): string | undefined;
  /** The permission of a person, by numeric id. */
  permission(
    repository: RepositoryRef,
    actor: { id: string; login: string },
    signal: AbortSignal,
  ): Promise<{ permission: Permission; login: string; isBot: boolean }>;
  /** The repository of this name, `owner/name`, if the integration covers it. */
  repositoryNamed(name: string, signal: AbortSignal): Promise<(RepositoryRef & { private: boolean }) | undefined>;
  /**
   * The names of repositories that the integration covers, at most `limit`, for a question to the requester. With `publicOnly` none that may
   * be private, because the name of a private repository is not for everybody who can read the thread.
   */
  repositoryNames(options: { limit: number; publicOnly: boolean }, signal: AbortSignal): Promise<string[]>;
  /** Commit trailer that keeps checks from running, for example `skip-checks: true`. */
  skipChecksTrailer: string;
  /** Starts the checks that were held back: creates an empty commit on top of `parent` and moves the branch to it, fast-forward only. */
  releaseChecks(
    repository: RepositoryRef,
    release: { branch: string; parent: string; message: string },
    signal: AbortSignal,
  ): Promise<{ sha: string }>;
  /** Co-author trailer of a person, `Name <noreply address>`. */
  coAuthor(actor: { id: string; login: string }): string;
}

/** Refers to a repository. The id identifies it; the name is only for URLs. */
export interface RepositoryRef {
  id: string;
  host: string;
  owner: string;
  name: string;
}

/** A change (pull request) as the code host has it. */
export interface Change {
  number: number;
  url: string;
  title: string;
  /** Its description, possibly edited by people; empty if there is none. */
  body: string;
  state: "Open" | "Closed" | "Merged";
  draft: boolean;
  baseRef: string;
  headRef: string;
  headSHA: string;
  /** False for forks. */
  sameRepository: boolean;
  author: { id: string; login: string };
}

/** A short-lived credential for git over HTTPS. Only the broker uses it. */
export interface GitCredential {
  username: string;
  password: string;
  expiresAt: string;
}

/** Permissions of a person on a repository, weakest first. */
export const permissions = ["None", "Read", "Triage", "Write", "Maintain", "Admin"] as const;

export type Permission = (typeof permissions)[number];
