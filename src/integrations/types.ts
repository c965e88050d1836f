import type { Command } from "../api/agent-task.ts";
import type { SecretKeyRef } from "../api/common.ts";
import type { Trigger } from "../api/github-integration.ts";
import type { Logger } from "../shared/log.ts";
import type { Clock } from "../shared/clock.ts";
import type { Connection } from "./connection.ts";

/** Names of the providers we speak; also the folder's name and `source.provider`. */
export type ProviderName = "github";

/** What every integration kind has, whichever provider it connects; the generic code sees no more. */
export interface Integration {
  kind?: string;
  metadata: {
    name: string;
    namespace: string;
    uid?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    annotations?: Record<string, string>;
    finalizers?: string[];
  };
  spec: {
    suspend: boolean;
    webhook: { install: "Auto" | "Manual"; acceptedKeysRef?: SecretKeyRef | undefined; takeOver: boolean };
    triggers: Trigger[];
    access: { permission: "Write" | "Maintain" | "Admin"; kubernetes: "Deny" | "Allow" };
    profileRef: { name: string };
    concurrency: { tasks: number; perRepository: number; perActor: number };
    reporting: { reaction: boolean; updateEvery: string };
  };
  status?: {
    bot?: { id: string; login: string; mention: string } | undefined;
    triggers?: { name: string; since: string }[] | undefined;
    conditions?: { type: string; status: string; reason: string; message: string }[] | undefined;
    hooks?: { target: string; id?: string | undefined; verifiedAt?: string | undefined }[] | undefined;
    webhookURL?: string | undefined;
    lastHandledRotateAt?: string | undefined;
    recoveredUntil?: string | undefined;
    lastTaskTime?: string | undefined;
  };
}

/** Case-insensitive request headers. */
export interface Headers {
  get(name: string): string | undefined;
}

/** One delivery as it came off the wire; `body` is the raw bytes that signatures cover. */
export interface Delivery {
  headers: Headers;
  body: Uint8Array;
  receivedAt: Date;
}

/** Yes, or no with a reason that helps the operator of Bellhop and no forger. */
export type Verdict = { ok: true } | { ok: false; reason: "SignatureMissing" | "SignatureMismatch" | "Stale" };

/** Checks a delivery against every key (current and previous), in constant time. An empty key list never verifies. */
export type VerifyDelivery = (delivery: Delivery, keys: readonly Uint8Array[]) => Verdict;

/** A repository as an event names it. */
export interface EventRepository {
  id: string;
  host: string;
  owner: string;
  name: string;
  private: boolean;
}

/** What in an event may ring, so that triggers match without knowing the provider. */
export type Signal =
  | {
      kind: "mention";
      /** The words after the mention, first line first; commands are looked for here. */ words: string;
    }
  | { kind: "label"; label: string }
  | { kind: "assignment"; login: string }
  | { kind: "reviewRequest"; login: string }
  | {
      kind: "failedChecks";
      headBranch: string;
      headSHA: string;
      sameRepository: boolean;
      /** Of the check that is told of, for people. */ name?: string;
    };

/** A delivery, verified, parsed and normalised; every provider's becomes this. */
export interface ProviderEvent {
  provider: ProviderName;
  event: string;
  action?: string;
  deliveryId?: string;
  /** Named from bytes the signature covers. One cause, one task. */
  cause: string;
  url?: string;
  subject: { type: "Issue" | "Change" | "Commit"; key: string; number?: number; title?: string };
  object: {
    type: "IssueComment" | "Review" | "ReviewComment" | "Issue" | "Change" | "CheckSuite" | "WorkflowRun";
    id: string;
    headSHA?: string;
  };
  /** The issue, change or thread, as the event names it, for example `acme/shop#42`. */
  conversation: string;
  actor: { id: string; login: string; isBot: boolean };
  repository: EventRepository;
  /** App installation or organisation that the payload claims, where the provider has such. */
  installationId?: string;
  /** When the cause happened, from the payload; recovery and retention go by it. */
  occurredAt?: Date;
  /** The whole text that rang, untrusted; absent for labels, assignments and checks. */
  text?: string;
  /** The same as a reader sees it, nothing hidden in it, for the agent's prompt; its beginning where it is overlong. */
  visibleText?: string;
  signals: Signal[];
}

/** What became of parsing: an event, something answered but not acted on, or a body that is not what it says. */
export type Normalised =
  | { outcome: "event"; event: ProviderEvent; body: unknown }
  | {
      outcome: "ignored";
      reason: string;
      message: string;
      /** Whether it may ring once more is known of the integration: not a no, but a "not yet". */
      again?: true;
      repository?: EventRepository;
      installationId?: string;
    }
  | { outcome: "malformed"; path: string; message: string };

/** What the gateway knows of an integration when it normalises: who the bot is, and what is its own. */
export interface NormaliseContext {
  bot: { id: string; login: string; mention: string } | undefined;
  host: string;
}

/** The receiving side of a provider; pure, used by gateway, recovery and CLI alike. */
export interface WebhookSource {
  /** Bodies over this many bytes are answered 413 unread. */
  maxBodyBytes: number;
  /** `application/json` only, unless the provider sends others. */
  contentTypes: readonly string[];
  verify: VerifyDelivery;
  /** The provider's id of the delivery, for logs; never decided on. */
  deliveryId(delivery: Delivery): string | undefined;
  normalise(delivery: Delivery, context: NormaliseContext): Normalised;
}

/** A command given in words after a mention, or undefined for work. */
export interface ParsedCommand {
  command: Command;
  argument?: string;
}

/** How `connect` reaches the world. */
export interface ConnectDeps {
  /** Reads a Secret that allows it (annotation `bellhop.dev/allowed-for`); throws `BellhopError` with a condition reason otherwise. */
  readSecret(ref: SecretKeyRef, purpose: { kind: string; host: string }): Promise<Uint8Array>;
  clock: Clock;
  log: Logger;
  /** `fetch` over the one dispatcher: proxy, CA, time-outs, circuit breaker, redaction, private ranges refused. */
  fetch: typeof fetch;
}

/** One provider: a folder, and a line in the registry. */
export interface Provider<I extends Integration = Integration> {
  name: ProviderName;
  /** The kind of integration it serves. */
  kind: string;
  /** Host name of the integration's code host or tracker. */
  host(integration: I): string;
  /** Whether a repository lies inside the integration's spec. */
  covers(integration: I, repository: { owner: string; name: string }, installationId?: string): boolean;
  webhooks: WebhookSource;
  /** Names the one hook that several integrations share, for example `github.com/apps/12345`; undefined where each has its own. */
  sharedHook(integration: I): string | undefined;
  /** Signs in; cheap, and cached by the provider per credentials. Throws `BellhopError` with a condition reason. */
  connect(integration: I, deps: ConnectDeps): Promise<Connection>;
}
