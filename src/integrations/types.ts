import type { Command } from "../api/agent-task.ts";
import type { SecretKeyRef } from "../api/common.ts";
import type { Trigger } from "../api/github-integration.ts";
import type { Logger } from "../shared/log.ts";
import type { Clock } from "../shared/clock.ts";
import type { Connection, RepositoryRef } from "./connection.ts";

/** Names of the supported providers; also the name of the provider's folder and the value of `source.provider`. */
export type ProviderName = "github";

/** The fields that all integration kinds share. Code outside the providers' folders uses only these. */
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

/** One webhook delivery as received; `body` holds the raw bytes that the signature covers. */
export interface Delivery {
  headers: Headers;
  body: Uint8Array;
  receivedAt: Date;
}

/** The result of a signature check. The reason helps the administrator of Bellhop and does not help a forger. */
export type Verdict = { ok: true } | { ok: false; reason: "SignatureMissing" | "SignatureMismatch" | "Stale" };

/** Checks the signature of a delivery against every key (current and previous), in constant time. An empty list of keys never verifies. */
export type VerifyDelivery = (delivery: Delivery, keys: readonly Uint8Array[]) => Verdict;

/** A repository as an event names it. */
export interface EventRepository extends RepositoryRef {
  private: boolean;
}

/** A part of an event that a trigger can match. Triggers match signals, so they do not depend on the provider. */
export type Signal =
  | {
      kind: "mention";
      /** The text after the mention, from its first line on; commands are parsed from it. */ words: string;
    }
  | { kind: "label"; label: string }
  | { kind: "assignment"; login: string }
  | { kind: "reviewRequest"; login: string }
  | {
      kind: "failedChecks";
      headBranch: string;
      headSHA: string;
      sameRepository: boolean;
      /** Human-readable name of the check that the event reports. */ name?: string;
    };

/** A delivery after it was verified, parsed and normalised. All providers produce this shape. */
export interface ProviderEvent {
  provider: ProviderName;
  event: string;
  action?: string;
  deliveryId?: string;
  /** Identifies the cause; built only from bytes that the signature covers. One cause creates one task. */
  cause: string;
  url?: string;
  subject: { type: "Issue" | "Change" | "Commit"; key: string; number?: number; title?: string };
  object: {
    type: "IssueComment" | "Review" | "ReviewComment" | "Issue" | "Change" | "CheckSuite" | "WorkflowRun";
    id: string;
    headSHA?: string;
  };
  /** The issue, change or thread that the task belongs to, as the event names it, for example `acme/shop#42`. */
  conversation: string;
  actor: { id: string; login: string; isBot: boolean };
  repository: EventRepository;
  /** The App installation or organisation that the payload claims, if the provider has such a concept. */
  installationId?: string;
  /** When the cause happened, from the payload. Recovery and retention use this time. */
  occurredAt?: Date;
  /** The whole text that carries the signal, untrusted; absent for labels, assignments and checks. */
  text?: string;
  /** `text` as a reader sees it, without hidden parts, for the agent's prompt; only its beginning if it is too long. */
  visibleText?: string;
  signals: Signal[];
}

/** The result of normalising a delivery: an event, a delivery to answer but not act on, or a body with the wrong shape. */
export type Normalised =
  | { outcome: "event"; event: ProviderEvent; body: unknown }
  | {
      outcome: "ignored";
      reason: string;
      message: string;
      /** The delivery may match a trigger once the integration has signed in: the answer is "not yet", not "no". */
      again?: true;
      repository?: EventRepository;
      installationId?: string;
    }
  | { outcome: "malformed"; path: string; message: string };

/** Facts about the integration that normalising needs: the bot account (undefined until sign-in) and the provider's host. */
export interface NormaliseContext {
  bot: { id: string; login: string; mention: string } | undefined;
  host: string;
}

/** The webhook side of a provider. Its functions are pure; gateway, recovery and CLI share them. */
export interface WebhookSource {
  /** The gateway answers 413 to bodies over this many bytes, without reading them. */
  maxBodyBytes: number;
  /** Accepted content types: `application/json` only, unless the provider sends others. */
  contentTypes: readonly string[];
  verify: VerifyDelivery;
  /** The provider's id of the delivery. For logs only; no decision depends on it. */
  deliveryId(delivery: Delivery): string | undefined;
  normalise(delivery: Delivery, context: NormaliseContext): Normalised;
}

/** A command in the text after a mention. A text without a command is a request for work. */
export interface ParsedCommand {
  command: Command;
  argument?: string;
}

/** Dependencies of `connect`. */
export interface ConnectDeps {
  /**
   * Reads a Secret whose annotation `bellhop.dev/allowed-for` permits this purpose. Throws `BellhopError` with a condition reason
   * otherwise.
   */
  readSecret(ref: SecretKeyRef, purpose: { kind: string; host: string }): Promise<Uint8Array>;
  clock: Clock;
  log: Logger;
  /** `fetch` through the shared dispatcher: proxy, CA, time-outs, circuit breaker, redaction, private ranges refused. */
  fetch: typeof fetch;
}

/** One provider: a folder and a line in the registry. */
export interface Provider<I extends Integration = Integration> {
  name: ProviderName;
  /** The kind of its integration resources, for example `GitHubIntegration`. */
  kind: string;
  /** Host name of the integration's code host or tracker. */
  host(integration: I): string;
  /** Whether a repository lies inside the integration's spec. */
  covers(integration: I, repository: { owner: string; name: string }, installationId?: string): boolean;
  webhooks: WebhookSource;
  /** Name of the one hook that several integrations share, for example `github.com/apps/12345`; undefined if each has its own hook. */
  sharedHook(integration: I): string | undefined;
  /** Signs in. It is cheap: the provider caches it per credentials. Throws `BellhopError` with a condition reason. */
  connect(integration: I, deps: ConnectDeps): Promise<Connection>;
}
