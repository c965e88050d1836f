import type { TaskSource } from "../api/agent-task.ts";
import type { BellhopError } from "../shared/errors.ts";
import type { CodeHost, RepositoryRef } from "./code-host.ts";
import type { Report } from "./report.ts";

/** A signed-in integration. If a capability is absent, the provider does not have it. Every method throws `ProviderError`. */
export interface Connection {
  identity: Identity;
  authorizer: Authorizer;
  /** Required: what cannot be read again authorises nothing, so such a provider could start no task. */
  source: Source;
  thread?: Thread;
  codeHost?: CodeHost;
  hooks?: WebhookInstaller;
  missed?: MissedDeliveries;
}

/** Checks Bellhop's credentials: which account they belong to, and whether they have the needed permissions. */
export interface Identity {
  check(signal: AbortSignal): Promise<{
    /** Undefined if every installation has a problem, or if there is none. */
    bot: { id: string; login: string; mention: string } | undefined;
    /** App installations, workspaces or organisations; also those that have a problem. */
    installations: Installation[];
    tokenScope: "PerTask" | "Broad";
    /** The repositories that the spec names, by id, as far as they were found; only for code hosts. */
    repositories?: { name: string; id: string }[];
    /** Events or permissions that are missing at the provider and that no API can set; empty if nothing is missing. */
    missing: string[];
  }>;
}

/** An App installation, workspace or organisation of an integration. */
export interface Installation {
  id: string;
  account: string;
  suspended?: boolean | undefined;
  /** Id of the bot's account there, if it differs between installations. */
  botId?: string | undefined;
  /** Human-readable: why Bellhop cannot work there; the others still work. */
  problem?: string | undefined;
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

/** Whether a person may start tasks here, and why. The texts are parts of condition messages. */
export interface AccessDecision {
  allowed: boolean;
  isBot: boolean;
  /** The person's present name; a renamed account keeps its id. */
  login: string;
  /** The person's access, for example `write access on acme/shop`. */
  has: string;
  /** The needed access, for example `write access or higher`. */
  needs: string;
}

/** Decides who may start tasks, by the provider's ids and the integration's `spec.access`. */
export interface Authorizer {
  may(
    request: { source: TaskSource; actor: { id: string; login: string }; repository?: RepositoryRef | undefined },
    signal: AbortSignal,
  ): Promise<AccessDecision>;
}

/** The object that triggered the task, as it is at the provider now. */
export type Reread =
  | {
      found: true;
      actor: { id: string; login: string; isBot: boolean };
      /** Its whole text; undefined if the provider has none to compare with that of the event. */
      text: string | undefined;
      subjectKey: string;
      editedAfter: boolean;
      /** Ids of everybody who edited the text, if it is not that of the event any more; undefined if the provider does not return them. */
      editors?: readonly string[];
      /** Whether only some people can read the thread: a direct message, a private channel or repository. */
      private: boolean;
      /** Whether it is a direct message, where nobody but the requester and the bot can write. */
      direct?: true;
      /** Why no report can be posted where the request was made, and what to do, as a sentence for the requester; absent if it can. */
      unreachable?: string;
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

/** A thread of the provider, as the task names it. Providers read what they need. */
export interface ThreadTarget {
  source: TaskSource;
  /** Repository of the event, at code hosts. */
  repository?: RepositoryRef | undefined;
  conversation: string;
}

/** Reads the context of a task: its triggering object and its conversation. */
export interface Source {
  reread(target: ThreadTarget, signal: AbortSignal): Promise<Reread>;
  /**
   * The request in a text to the bot, as the event would carry it; undefined if the text does not mention the bot. Pure. Absent if edited texts
   * are never accepted.
   */
  request?(text: string, mention: string): { words: string; visibleText: string } | undefined;
  /**
   * Reads the conversation up to `until`: the newest comments within `budgetBytes`, in the order oldest first. Leaves out everything
   * that was created or edited later. Hidden text is already stripped.
   */
  gather(
    target: ThreadTarget,
    options: { until: Date; budgetBytes: number },
    signal: AbortSignal,
  ): Promise<ContextItem[]>;
}

/** Our message. `conversation`: that of the thread that the message begins, if the request was in none. */
export interface PostedReport {
  id: string;
  url: string;
  conversation?: string;
}

/** A write to a thread that `Thread.turn` asks for. */
export type ThreadWrite = { do: "acknowledge" } | { do: "post" | "update" | "answer"; report: Report };

/** A question for a repository to one person. */
export interface PersonalQuestion {
  /** Name of the task that waits, so that the choice is for this task and no other. */
  task: string;
  /** Id of the person. */
  person: string;
  text: string;
}

/** Posts and updates the report of a task in the thread. */
export interface Thread {
  /**
   * Asks for a turn in the provider's pace, without waiting. 0: the write may follow at once, and the turn is reserved for it. Otherwise the
   * milliseconds after which to ask again; the target keeps its place in the line. A write without a turn waits for it.
   */
  turn(target: ThreadTarget, write: ThreadWrite): number;
  /** Shows at once that Bellhop received the request: a reaction to the object that triggered the task. Idempotent. */
  acknowledge?(target: ThreadTarget, signal: AbortSignal): Promise<void>;
  /** Whether a report can be posted to this thread. Pure. */
  has(target: ThreadTarget): boolean;
  /**
   * An excerpt of the request in a text of the provider: one line of at most 80 characters, as a reader sees it, without `mention` (the
   * name that people write after `@`) and without markup. Empty if nothing is left. The excerpt is still untrusted: show it as a `quote`.
   */
  excerpt(text: string, mention: string | undefined): string;
  /** Posts the report with a hidden marker. */
  post(target: ThreadTarget, report: Report, marker: string, signal: AbortSignal): Promise<PostedReport>;
  /**
   * Shows the answer to a request to its requester only, where the provider can: beside the request, or else in a direct message. It can be
   * neither found nor updated later, so an answer that is repeated after a crash is shown twice.
   */
  answer?(target: ThreadTarget, report: Report, signal: AbortSignal): Promise<void>;
  update(
    target: ThreadTarget,
    message: { id: string; marker: string },
    report: Report,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Asks a person for the repository, in a message that only they see, with a menu. The message can be neither found nor updated later, and the
   * person may never see it, so the report has the question as well.
   */
  ask?(target: ThreadTarget, question: PersonalQuestion, signal: AbortSignal): Promise<void>;
  /** Finds our own message that carries the marker. */
  find(target: ThreadTarget, marker: string, since: Date, signal: AbortSignal): Promise<PostedReport | undefined>;
}

/** Deliveries that did not reach Bellhop, by the provider's log of them. */
export interface MissedDeliveries {
  /** The host that keeps the log, with its port if it has one. */
  readonly host: string;
  /**
   * Asks the provider to redeliver the deliveries after `since` that no 2xx answered, the oldest first. Returns how many it asked for, and the
   * next cursor: the time of the newest delivery in the log, or if `more` are left, of the first one that is left.
   */
  redeliverMissed(since: Date, signal: AbortSignal): Promise<{ asked: number; cursor: Date; more: boolean }>;
}

/** The kinds of provider failure; they become condition reasons and decide about retries. */
export type ProviderFailure =
  | "Unauthorized"
  | "Forbidden"
  /** The thread or repository is locked, archived or gone for good: no permission and no retry changes that, only a person who opens it again. */
  | "Locked"
  | "Suspended"
  | "NotFound"
  | "Invalid"
  | "Conflict"
  | "RateLimited"
  | "Unavailable"
  | "ForeignHook";
