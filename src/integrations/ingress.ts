import type { SecretKeyRef } from "../api/common.ts";
import type { Installation } from "./connection.ts";
import type { Origin, ProviderEvent } from "./event.ts";
import type { Integration } from "./integration.ts";
import type { ConnectDeps } from "./sign-in.ts";

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

/** The connection that a gateway holds for an integration without a webhook. Its deliveries need no signature, because we opened it with the token. */
export interface SocketIngress<I extends Integration = Integration> {
  /** Undefined if the integration's deliveries arrive by webhook. Pure. */
  settings(integration: I): SocketSettings | undefined;
  /** Names the app that a token belongs to: the provider gives each delivery to one of the app's connections, whichever token opened it. Pure. */
  appOf(token: string): string;
  /** Asks the provider for the address of a new connection (`wss://…`), which is itself a secret. Throws `BellhopError` with a condition reason. */
  open(
    target: { url: string; host: string; token: string },
    deps: Pick<ConnectDeps, "clock" | "log" | "fetch">,
    signal: AbortSignal,
  ): Promise<string>;
  /** Reads one message. Never throws. Pure. */
  read(text: string, receivedAt: Date): SocketFrame;
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
