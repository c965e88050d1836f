import type { TaskSource } from "../api/agent-task.ts";
import type { BellhopError } from "../shared/errors.ts";

/** A signed-in integration. If a capability is absent, the provider does not have it. Every method throws `ProviderError`. */
export interface Connection {
  credentials: CredentialCheck;
  installer?: WebhookInstaller;
  actors?: ActorDirectory;
  context?: ContextSource;
  acknowledger?: Acknowledger;
  reporter?: Reporter;
  codeHost?: CodeHost;
  deliveries?: DeliveryLog;
}

/** Checks Bellhop's credentials: which account they belong to, and whether they have the needed permissions. */
export interface CredentialCheck {
  check(signal: AbortSignal): Promise<{
    bot: { id: string; login: string; mention: string };
    installations: { id: string; account: string; suspended?: boolean }[];
    tokenScope: "PerTask" | "Broad";
    /** Events or permissions that are missing at the provider and that no API can set; empty if nothing is missing. */
    missing: string[];
  }>;
}

/** The wanted state of an integration's hooks. */
export interface DesiredHooks {
  url: string;
  /** Our previous address, from status. Hooks that point there are ours too, even if the address of this installation changed. */
  formerURL?: string | undefined;
  /** The secret that the provider signs deliveries with. */
  secret: string;
  /** Hooks that we created before, from status; `hasSecret` is true if they already have this secret. */
  known: { target: string; id?: string | undefined; hasSecret?: boolean }[];
  takeOver: boolean;
  /**
   * Write the secret even if all readable settings are right, because the secret cannot be read back. Known hooks with `hasSecret`
   * are left out; hooks that are only found by our address always get the secret.
   */
  rewriteSecret: boolean;
}

/** Creates, repairs and removes the provider's hooks. */
export interface WebhookInstaller {
  /**
   * Creates missing hooks, repairs wrong ones and removes surplus ones. Returns the hooks that exist afterwards and the targets that
   * failed. Throws if nothing was done, for example `ForeignHook` if the hook points at another URL.
   */
  ensure(
    desired: DesiredHooks,
    signal: AbortSignal,
  ): Promise<{ hooks: { target: string; id?: string }[]; failures: TargetFailure[] }>;
  /**
   * Removes our hooks: the known ones, and those with one of our addresses on any target of the spec. 404 counts as success. Tries
   * every target before it throws; the error names the targets that failed. Returns the targets whose hook the provider cannot remove.
   */
  remove(
    known: { target: string; id?: string | undefined }[],
    urls: readonly string[],
    signal: AbortSignal,
  ): Promise<{ left: string[] }>;
}

/** A target (repository or organisation) where a hook could not be installed or removed. */
export interface TargetFailure {
  target: string;
  error: BellhopError;
}

/** Permissions of a person on a repository, weakest first. */
export const permissions = ["None", "Read", "Triage", "Write", "Maintain", "Admin"] as const;
export type Permission = (typeof permissions)[number];

/** Looks up people and their permissions by numeric id. */
export interface ActorDirectory {
  permission(
    repository: RepositoryRef,
    actor: { id: string; login: string },
    signal: AbortSignal,
  ): Promise<{ permission: Permission; login: string; isBot: boolean }>;
}

/** Refers to a repository. The id identifies it; the name is only for URLs. */
export interface RepositoryRef {
  id: string;
  host: string;
  owner: string;
  name: string;
}

/** The object that triggered the task, as it is at the provider now. */
export type Reread =
  | {
      found: true;
      actor: { id: string; login: string; isBot: boolean };
      text: string | undefined;
      subjectKey: string;
      editedAfter: boolean;
      private: boolean;
    }
  | { found: false; message: string };

/** One part of the conversation, untrusted unless its author has write permission. */
export interface ContextItem {
  author: string;
  /** True if the author has at least write permission on the repository. The prompt fences the text of other authors. */
  trusted: boolean;
  createdAt: string;
  kind: "title" | "body" | "comment" | "reviewComment" | "review" | "log";
  text: string;
  /** For review comments: the place in the code. */
  location?: { path: string; line?: number; hunk?: string };
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

/** Reads the context of a task: its triggering object and its conversation. */
export interface ContextSource {
  reread(source: TaskSource, repository: RepositoryRef, signal: AbortSignal): Promise<Reread>;
  /**
   * Reads the conversation up to `until`: the newest comments within `budgetBytes`, in the order oldest first. Leaves out everything
   * that was created or edited later. Hidden text is already stripped.
   */
  gather(
    source: TaskSource,
    repository: RepositoryRef,
    options: { until: Date; budgetBytes: number },
    signal: AbortSignal,
  ): Promise<ContextItem[]>;
}

/** Shows people at once that Bellhop received their request. */
export interface Acknowledger {
  /** Adds a reaction to the object that triggered the task. Idempotent. */
  react(source: TaskSource, repository: RepositoryRef, signal: AbortSignal): Promise<void>;
}

/** The thread that the report of a task is posted to. */
export interface ReportTarget {
  repository: RepositoryRef;
  subjectNumber: number;
}

/** Posts and updates the report of a task. The caller has already encoded the untrusted parts of the body with `encode`. */
export interface Reporter {
  /** The provider's encoder for text that a model wrote or that is untrusted for another reason. */
  encode: (text: string, options?: { maxBytes?: number }) => string;
  /**
   * An excerpt of the request in a text of the provider: one line of at most 80 characters, as a reader sees it, without `mention` (the
   * name that people write after `@`) and without markup. Empty if nothing is left. The excerpt is still untrusted: pass it to `quote`.
   */
  excerpt: (text: string, mention: string | undefined) => string;
  /**
   * Quotes untrusted text inside a line of the report so that nothing in it acts (no mention, link or markup). Links the quotation to
   * `url` if that is a page of the provider.
   */
  quote: (words: string, url?: string) => string;
  /** Turns a marker into the hidden text that `find` looks for. */
  hiddenMarker: (marker: string) => string;
  create(target: ReportTarget, body: string, signal: AbortSignal): Promise<{ id: string; url: string }>;
  update(target: ReportTarget, id: string, body: string, signal: AbortSignal): Promise<void>;
  /** Finds our own message that carries the marker. */
  find(
    target: ReportTarget,
    marker: string,
    since: Date,
    signal: AbortSignal,
  ): Promise<{ id: string; url: string } | undefined>;
}

/** A short-lived credential for git over HTTPS. Only the broker uses it. */
export interface GitCredential {
  username: string;
  password: string;
  expiresAt: string;
}

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
  /** The tip of a branch and whether the branch is protected; undefined if there is no such branch. */
  branch(
    repository: RepositoryRef,
    name: string,
    signal: AbortSignal,
  ): Promise<{ sha: string; protected: boolean } | undefined>;
  change(repository: RepositoryRef, number: number, signal: AbortSignal): Promise<Change | undefined>;
  /** Finds the open change whose head is this branch of the same repository. */
  findChange(repository: RepositoryRef, headRef: string, signal: AbortSignal): Promise<Change | undefined>;
  /** Whether this branch is the base of an open change of the repository. */
  isBase(repository: RepositoryRef, branch: string, signal: AbortSignal): Promise<boolean>;
  openChange(
    repository: RepositoryRef,
    change: { headRef: string; baseRef: string; title: string; body: string; draft: boolean },
    signal: AbortSignal,
  ): Promise<Change>;
  updateChange(repository: RepositoryRef, number: number, change: { body: string }, signal: AbortSignal): Promise<void>;
  /** Text that closes the issue when the change is merged, for example `Fixes #42`. */
  closingReference: (subjectNumber: number) => string;
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

/** The provider's log of deliveries, for those that did not reach Bellhop. */
export interface DeliveryLog {
  /**
   * Asks the provider to redeliver every delivery after `since` that no 2xx answered. Returns how many it asked for, and the time of
   * the newest delivery in the log as the next cursor.
   */
  redeliverMissed(since: Date, signal: AbortSignal): Promise<{ asked: number; cursor: Date }>;
}

/** The kinds of provider failure; they become condition reasons and decide about retries. */
export type ProviderFailure =
  | "Unauthorized"
  | "Forbidden"
  | "Suspended"
  | "NotFound"
  | "Invalid"
  | "Conflict"
  | "RateLimited"
  | "Unavailable"
  | "ForeignHook";
