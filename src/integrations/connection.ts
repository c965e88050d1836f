import type { EventRepository } from "./types.ts";
import type { TaskSource } from "../api/agent-task.ts";
import type { BellhopError } from "../shared/errors.ts";

/** A signed-in integration. An absent capability means that the provider cannot do it. Every method throws `ProviderError`. */
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

/** Who we are at the provider, and whether that is enough. */
export interface CredentialCheck {
  check(signal: AbortSignal): Promise<{
    bot: { id: string; login: string; mention: string };
    installations: { id: string; account: string; suspended?: boolean }[];
    tokenScope: "PerTask" | "Broad";
    /** Events or permissions that are missing at the provider and cannot be set by API; empty when all is well. */
    missing: string[];
  }>;
}

/** What hooks there should be. */
export interface DesiredHooks {
  url: string;
  /** Our address before, from status: what points there is ours as well, also where the installation's own address changed. */
  formerURL?: string | undefined;
  /** The secret to sign with. */
  secret: string;
  /** Hooks we made before, from status; `hasSecret` where they were given this secret. */
  known: { target: string; id?: string | undefined; hasSecret?: boolean }[];
  takeOver: boolean;
  /** Rewrite the secret even where everything readable is right (it cannot be read back), but for known hooks that have it; hooks found by our address get it always. */
  rewriteSecret: boolean;
}

/** Keeps the provider's hooks right. */
export interface WebhookInstaller {
  /**
   * Creates, repairs and removes surplus hooks; answers those that stand, and where it failed. Throws where nothing was done, for
   * example `ForeignHook` where another URL is set.
   */
  ensure(
    desired: DesiredHooks,
    signal: AbortSignal,
  ): Promise<{ hooks: { target: string; id?: string }[]; failures: TargetFailure[] }>;
  /**
   * Removes hooks that we made: those known, and those with one of our addresses wherever the spec has hooks. 404 is success. Goes
   * everywhere before it throws; the error names what is left. Answers the targets whose hook the provider lets nobody remove.
   */
  remove(
    known: { target: string; id?: string | undefined }[],
    urls: readonly string[],
    signal: AbortSignal,
  ): Promise<{ left: string[] }>;
}

/** A place where a hook could not be installed or removed. */
export interface TargetFailure {
  target: string;
  error: BellhopError;
}

/** What a person may do to a repository. Ordered. */
export const permissions = ["None", "Read", "Triage", "Write", "Maintain", "Admin"] as const;
export type Permission = (typeof permissions)[number];

/** Looks people up by their numeric id. */
export interface ActorDirectory {
  permission(
    repository: RepositoryRef,
    actor: { id: string; login: string },
    signal: AbortSignal,
  ): Promise<{ permission: Permission; login: string; isBot: boolean }>;
}

/** Names a repository; the id decides, the name is for the URL. */
export interface RepositoryRef {
  id: string;
  host: string;
  owner: string;
  name: string;
}

/** The triggering object as it is at the provider now. */
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

/** One piece of the conversation, untrusted unless the author has write. */
export interface ContextItem {
  author: string;
  /** Whether the author has at least write on the repository; others are fenced. */
  trusted: boolean;
  createdAt: string;
  kind: "title" | "body" | "comment" | "reviewComment" | "review" | "log";
  text: string;
  /** For review comments: where in the code. */
  location?: { path: string; line?: number; hunk?: string };
}

/** A change (pull request) as the host knows it. */
export interface Change {
  number: number;
  url: string;
  title: string;
  /** What is written in it, as people may have edited it; empty where nothing is. */
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

/** Reads what a task needs to know. */
export interface ContextSource {
  reread(source: TaskSource, repository: RepositoryRef, signal: AbortSignal): Promise<Reread>;
  /**
   * Everything said before `until`, newest comments within `budgetBytes`, oldest first; nothing created or edited after.
   * Hidden text is already stripped.
   */
  gather(
    source: TaskSource,
    repository: RepositoryRef,
    options: { until: Date; budgetBytes: number },
    signal: AbortSignal,
  ): Promise<ContextItem[]>;
}

/** Shows that the bell was heard. */
export interface Acknowledger {
  /** Idempotent. */
  react(source: TaskSource, repository: RepositoryRef, signal: AbortSignal): Promise<void>;
}

/** Where the report of a task goes. */
export interface ReportTarget {
  repository: RepositoryRef;
  subjectNumber: number;
}

/** Keeps one message up to date. Bodies are already encoded for the desk (`encode`). */
export interface Reporter {
  /** The desk's encoder for model-derived or otherwise untrusted text. */
  encode: (text: string, options?: { maxBytes?: number }) => string;
  /**
   * The first words of the request in a text as the provider has it: one line of at most 80 characters as a reader sees them, without
   * `mention` (what people write after `@`) and without markup. Empty where there are none. Untrusted still: `quote` them.
   */
  excerpt: (text: string, mention: string | undefined) => string;
  /** Untrusted words as a quotation within a line of ours, in which nothing acts; linked to `url` where that is a page of the desk. */
  quote: (words: string, url?: string) => string;
  /** Turns a marker into the hidden text that `find` looks for. */
  hiddenMarker: (marker: string) => string;
  create(target: ReportTarget, body: string, signal: AbortSignal): Promise<{ id: string; url: string }>;
  update(target: ReportTarget, id: string, body: string, signal: AbortSignal): Promise<void>;
  /** The message of ours that carries the marker. */
  find(
    target: ReportTarget,
    marker: string,
    since: Date,
    signal: AbortSignal,
  ): Promise<{ id: string; url: string } | undefined>;
}

/** A short-lived credential for git over HTTPS, used by the broker only. */
export interface GitCredential {
  username: string;
  password: string;
  expiresAt: string;
}

/** Branches, changes and tokens. */
export interface CodeHost {
  /** The repository as it is now; throws `NotFound` when it is gone. */
  repository(
    ref: RepositoryRef,
    signal: AbortSignal,
  ): Promise<EventRepository & { defaultBranch: string; archived: boolean; empty: boolean; cloneURL: string }>;
  /** `read` for fetches, `write` only for the one push. */
  mintToken(repository: RepositoryRef, access: "read" | "write", signal: AbortSignal): Promise<GitCredential>;
  revokeToken(token: string, signal: AbortSignal): Promise<void>;
  /** Tip of a branch and whether it is protected; undefined when there is none. */
  branch(
    repository: RepositoryRef,
    name: string,
    signal: AbortSignal,
  ): Promise<{ sha: string; protected: boolean } | undefined>;
  change(repository: RepositoryRef, number: number, signal: AbortSignal): Promise<Change | undefined>;
  /** The open change with this head branch of the same repository. */
  findChange(repository: RepositoryRef, headRef: string, signal: AbortSignal): Promise<Change | undefined>;
  /** Whether an open change of the repository aims at this branch. */
  isBase(repository: RepositoryRef, branch: string, signal: AbortSignal): Promise<boolean>;
  openChange(
    repository: RepositoryRef,
    change: { headRef: string; baseRef: string; title: string; body: string; draft: boolean },
    signal: AbortSignal,
  ): Promise<Change>;
  updateChange(repository: RepositoryRef, number: number, change: { body: string }, signal: AbortSignal): Promise<void>;
  /** The closing words for a subject, for example `Fixes #42`. */
  closingWords: (subjectNumber: number) => string;
  /** Trailer that keeps checks from running on a commit, for example `skip-checks: true`. */
  skipChecksTrailer: string;
  /** Creates an empty commit on top of `parent` and moves the branch to it, fast-forward only; releases held checks. */
  releaseChecks(
    repository: RepositoryRef,
    release: { branch: string; parent: string; message: string },
    signal: AbortSignal,
  ): Promise<{ sha: string }>;
  /** Co-author trailer of a person, `Name <noreply address>`. */
  coAuthor(actor: { id: string; login: string }): string;
}

/** Deliveries that the provider could not hand over. */
export interface DeliveryLog {
  /** Asks the provider to send again what was not answered 2xx since `since`; answers the newest moment it looked at. */
  redeliverMissed(since: Date, signal: AbortSignal): Promise<{ asked: number; cursor: Date }>;
}

/** Why a provider said no, for conditions and retries. */
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
