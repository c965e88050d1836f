import type { Command, TaskSource } from "../api/agent-task.ts";
import type { SecretKeyRef } from "../api/common.ts";
import type { IntegrationOf, KindOf, ProviderName } from "../api/integration-kinds.ts";
import type { Trigger } from "../api/integration.ts";
import type { Logger } from "../shared/log.ts";
import type { Clock } from "../shared/clock.ts";
import type { Connection, Installation, RepositoryRef } from "./connection.ts";
import type { Grant } from "./grant.ts";

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
    triggers: Trigger[];
    access: {
      kubernetes: "Deny" | "Allow";
      people?: PersonMapping[] | undefined;
      /** Bots that may start tasks, by the provider's id. */
      bots?: { id: string; login: string }[] | undefined;
    };
    /** Where changes go, if not to the provider of the integration itself: an integration of a code host in the same namespace. */
    codeHostRef?: { kind: string; name: string } | undefined;
    profileRef: { name: string };
    concurrency: { tasks: number; perRepository: number; perActor: number };
    reporting: { reaction: boolean; updateEvery: string };
  };
  status?: {
    bot?: { id: string; login: string; mention: string } | undefined;
    installations?: Installation[] | undefined;
    installURL?: string | undefined;
    triggers?: { name: string; since: string }[] | undefined;
    conditions?: { type: string; status: string; reason: string; message: string }[] | undefined;
    hooks?: { target: string; id?: string | undefined; verifiedAt?: string | undefined }[] | undefined;
    webhookURL?: string | undefined;
    lastHandledRotateAt?: string | undefined;
    recoveredUntil?: string | undefined;
    lastTaskTime?: string | undefined;
  };
}

/** The account of a person at the code host, for a person of a chat or tracker. */
export interface PersonMapping {
  id: string;
  codeHost: { id: string; login: string };
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

/**
 * Checks the signature of a delivery against every key (current and previous), in constant time. An empty list of keys never verifies. The
 * time of receipt is compared with the provider's signed time stamp, if it has one.
 */
export type VerifyDelivery = (delivery: Delivery, keys: readonly Uint8Array[]) => Verdict;

/** A repository as an event names it. */
export interface EventRepository extends RepositoryRef {
  private: boolean;
}

/**
 * The place at the provider that an event comes from, as far as the provider has such places: `covers` compares it with the integration's spec.
 * Repository: code hosts only. Installation: the App installation, organisation or workspace that the payload claims. Channel: chats only.
 */
export interface Origin {
  repository?: EventRepository;
  installationId?: string;
  channel?: { id: string; type: "Public" | "Private" | "Direct" };
}

/** A part of an event that a trigger can match. Triggers match signals, so they do not depend on the provider. */
export type Signal =
  | {
      /** A person addressed the bot. `action`: with a button or menu of ours, which can only carry a command. */
      kind: "mention" | "directMessage" | "slashCommand" | "shortcut" | "action";
      /** The text after the mention, from its first line on; commands are parsed from it. */ words: string;
      /** Only of an `action`: name of the task whose report or question has the button or menu. */ target?: string;
      /** Only of an `action`: id of the message that has it, as `Thread.post` returned it. Absent for messages that only one person sees. */
      message?: string;
      /** Only of a `mention`: the message does not mention the bot, but follows in a thread that the bot takes part in. */ followUp?: true;
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
export interface ProviderEvent extends Origin {
  provider: ProviderName;
  /** The provider's instance that ids belong to, for example `github.com` or a Slack workspace. */
  instance: string;
  event: string;
  action?: string;
  deliveryId?: string;
  /** Identifies the cause; built only from bytes that the signature covers. One cause creates one task. */
  cause: string;
  url?: string;
  subject: { type: TaskSource["subject"]["type"]; key: string; number?: number; title?: string; createdAt?: string };
  object: NonNullable<TaskSource["object"]>;
  /** The issue, change or thread that the task belongs to, by the provider's ids, for example `9001#42`: names can change or pass to another object. */
  conversation: string;
  actor: { id: string; login: string; isBot: boolean };
  /** When the cause happened, from the payload. Recovery and retention use this time. */
  occurredAt?: Date;
  /** The whole text that carries the signal, untrusted; absent for labels, assignments and checks. */
  text?: string;
  /**
   * The text that asks for work as a reader sees it, without hidden parts, for the agent's prompt; only its beginning if it is too long: `text`,
   * or for a label, an assignment and a review request the title and description of the issue or change.
   */
  visibleText?: string;
  signals: Signal[];
}

/** An HTTP answer in the provider's own form. */
export interface HttpReply {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

/** The result of normalising a delivery: an event, a delivery to answer but not act on, or a body with the wrong shape. */
export type Normalised =
  | { outcome: "event"; event: ProviderEvent; body: unknown }
  /** The provider checks the URL; it gets this answer and nothing else happens. */
  | { outcome: "handshake"; reply: HttpReply }
  /** The provider asks something that published facts answer, such as the choices of a menu; no task is created, and nothing is logged. */
  | ({ outcome: "reply"; reply: HttpReply } & Origin)
  | ({
      outcome: "ignored";
      reason: string;
      message: string;
      /** The delivery may match a trigger once the integration has signed in: the answer is "not yet", not "no". */
      again?: true;
      /** Nothing about the delivery may be logged: it is a message that people wrote to each other. */
      private?: true;
    } & Origin)
  | { outcome: "malformed"; path: string; message: string };

/** Facts about the integration that normalising needs: the bot account (undefined until sign-in) and the provider's host. */
export interface NormaliseContext {
  bot: { id: string; login: string; mention: string } | undefined;
  /** The installations that the operator found. */
  installations?: readonly Installation[] | undefined;
  host: string;
  /** Whether the bot takes part in a thread: messages there need no mention. */
  isLive(conversation: string): boolean;
  /** The repositories that people may choose from, as the operator published them; none while the integration is inactive. */
  offered: readonly OfferedRepository[];
}

/** A repository that people may choose. */
export interface OfferedRepository {
  /** `owner/name`. */
  name: string;
  /** The places of the provider where its name may be shown, for example channels; absent: everywhere. Only the provider reads them. */
  places?: readonly string[] | undefined;
}

/** A repository that an integration maps to places of the provider. */
export interface MappedRepository extends OfferedRepository {
  places: readonly string[];
}

/** The webhook of an integration: who sets it up, and with which keys it signs. */
export interface WebhookSettings {
  /** `Auto`: the operator installs and repairs the hook with a secret of ours. `Manual`: a person sets it up. */
  install: "Auto" | "Manual";
  /** An additional key that deliveries may be signed with; with `Manual` the only one that a hook can use. */
  acceptedKeysRef?: SecretKeyRef | undefined;
  /** For messages: the path of that field in the spec, and how a person sets up the hook, as a clause. */
  acceptedKeysPath: string;
  manually: string;
  takeOver: boolean;
  /** Name of the one hook that several integrations share, for example `github.com/apps/12345`; undefined if each has its own hook. */
  sharedBy?: string | undefined;
}

/** How an integration's deliveries arrive over a connection. */
export interface SocketSettings {
  /** The provider's name of this way, for messages: `Socket Mode`. */
  name: string;
  /** The token that opens connections, and for messages the path of its field in the spec. */
  tokenRef: SecretKeyRef;
  tokenPath: string;
  /** Web address of the provider's API: the token is sent to this host only. */
  url: string;
}

/** A message that the provider sent over a connection. */
export type SocketFrame =
  /** The connection is complete: deliveries arrive from now on. */
  | { kind: "ready" }
  /** `acknowledge` gives the message that acknowledges the delivery, or undefined if the provider has to send it again. */
  | { kind: "delivery"; delivery: Delivery; acknowledge(reply: HttpReply): string | undefined }
  /** The provider closes the connection soon: another one must be open before. */
  | { kind: "replace"; why: string }
  /** The provider serves no connection of this token; `reason` and `message` become a condition. */
  | { kind: "refused"; reason: string; message: string }
  /** A message without meaning for us, with the message that acknowledges it if it needs one. */
  | { kind: "other"; what: string; acknowledgement?: string | undefined };

/** The connection that a gateway holds for an integration without a webhook. Its deliveries need no signature, because we opened it with the token. */
export interface SocketIngress<I extends Integration = Integration> {
  /** Undefined if the integration's deliveries arrive by webhook. Pure. */
  settings(integration: I): SocketSettings | undefined;
  /** Asks the provider for the address of a new connection (`wss://…`), which is itself a secret. Throws `BellhopError` with a condition reason. */
  open(
    target: { url: string; host: string; token: string },
    deps: Pick<ConnectDeps, "clock" | "log" | "fetch">,
    signal: AbortSignal,
  ): Promise<string>;
  /** Reads one message. Never throws. Pure. */
  read(text: string, receivedAt: Date): SocketFrame;
}

/** The webhook side of a provider. Its functions are pure; gateway, recovery and CLI share them. */
export interface Ingress<I extends Integration = Integration> {
  /** The gateway answers 413 to bodies over this many bytes, without reading them. */
  maxBodyBytes: number;
  /** Accepted content types: `application/json` only, unless the provider sends others. */
  contentTypes: readonly string[];
  /** The provider gives up after this time, in milliseconds; the gateway answers before it. */
  answerWithinMs: number;
  /** Whether messages in a thread need no mention once the bot was called there; the operator then publishes these threads to the gateways. */
  followsThreads?: boolean;
  /** Whether people choose a repository in a menu whose choices the provider asks the gateway for; the operator then publishes them. */
  offersRepositories?: boolean;
  webhook(integration: I): WebhookSettings;
  /** Deliveries over a connection, for integrations that ask for it; absent if the provider offers none. */
  socket?: SocketIngress<I>;
  verify: VerifyDelivery;
  /** The provider's id of the delivery. For logs only; no decision depends on it. */
  deliveryId(delivery: Delivery): string | undefined;
  normalise(delivery: Delivery, context: NormaliseContext): Normalised;
  /** The answer in the provider's form, if it needs its own; the status and text of `answer` are the gateway's. */
  reply?(
    answer: { status: number; body: { status: string; reason: string; message: string; command?: string } },
    delivery: Delivery,
  ): HttpReply;
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
  /** The grants of the install flow, as far as the integration's spec still allows their accounts; empty if the flow is not used. */
  readGrants(): Promise<readonly Grant[]>;
  clock: Clock;
  log: Logger;
  /** `fetch` through the shared dispatcher: proxy, CA, time-outs, circuit breaker, redaction, private ranges refused. */
  fetch: typeof fetch;
}

/** The client of an authorisation server: the integration, and what a sign-in gets. */
export interface InstallContext<I extends Integration = Integration> {
  integration: I;
  deps: Pick<ConnectDeps, "readSecret" | "fetch" | "clock" | "log">;
}

/**
 * The install flow of a provider (OAuth 2.0, authorization code): a person grants access at the provider, in their browser. The shared code serves
 * the pages, checks the state, stores the grants, refreshes and revokes them. The functions with a signal throw `BellhopError`.
 */
export interface InstallFlow<I extends Integration = Integration> {
  /** The accounts that the integration's spec allows to install it; undefined if its credentials do not come from the flow. Pure. */
  accounts(integration: I): readonly string[] | undefined;
  /** The path of that list in the spec, for messages. */
  accountsPath: string;
  /** The page of the provider at which people grant access. It sends the browser back to `redirectURL` with `state` and a code. Pure. */
  authorizeURL(integration: I, request: { state: string; redirectURL: string }): string;
  /** Exchanges the code that the browser brought back. A code can be exchanged once. */
  exchange(
    context: InstallContext<I>,
    request: { code: string; redirectURL: string },
    signal: AbortSignal,
  ): Promise<Grant>;
  /** Exchanges the refresh token for the next tokens. Afterwards the old ones may be worthless, so the answer must be stored. */
  refresh(context: InstallContext<I>, grant: Grant & { refreshToken: string }, signal: AbortSignal): Promise<Grant>;
  /** Makes the tokens worthless at the provider. Tokens that are so already count as success. */
  revoke(context: InstallContext<I>, grant: Grant, signal: AbortSignal): Promise<void>;
}

/** One provider: a folder and a line in the registry. */
export interface Provider<I extends Integration = Integration> {
  name: ProviderName;
  /** The kind of its integration resources. */
  kind: KindOf<ProviderName>;
  ingress: Ingress<I>;
  /** Host name of the integration's server: Secrets are sent to it only. */
  host(integration: I): string;
  /** Whether the place that an event comes from lies inside the integration's spec. */
  covers(integration: I, origin: Origin): boolean;
  /** The repositories that the integration maps to places; for chats and trackers. Pure. */
  mappedRepositories?(integration: I): readonly MappedRepository[];
  /** The place of a conversation, as in `MappedRepository.places`. Pure. */
  placeOf?(conversation: string): string;
  /** Only of providers to which people can grant access in the browser. */
  install?: InstallFlow<I>;
  /** Signs in. It is cheap: the provider caches it per credentials. Throws `BellhopError` with a condition reason. */
  connect(integration: I, deps: ConnectDeps): Promise<Connection>;
}

/** The provider of this name, with its own kind of integration. */
export type ProviderOf<Name extends ProviderName> = Provider<IntegrationOf<Name>> & {
  name: Name;
  kind: KindOf<Name>;
};
