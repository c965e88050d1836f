import type { Http } from "../../integrations/http.ts";
import type { SocketFrame, SocketIngress } from "../../integrations/ingress.ts";
import type { Provider } from "../../integrations/provider.ts";
import type { SocketEntry } from "../../intake/gateway-keys.ts";
import { type Clock, sleep } from "../../shared/clock.ts";
import { BellhopError, describeError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";

const openTimeoutMs = 20_000;
const pingEveryMs = 10_000;
/** Without a sign of life for this time, a connection counts as dead: three pings are unanswered. */
const silentMs = 30_000;
/** Providers close a connection some seconds after they announced that; one that does not is closed by us. */
const expireMs = 30_000;
/** How long open envelopes may take before a connection is closed anyway; providers wait less for an acknowledgement. */
const finishMs = 5_000;
/** Some providers leave the TCP connection open after both sides have closed the WebSocket. */
const goodbyeMs = 1_000;

/** Dependencies of `openLink`. */
export interface LinkDeps {
  http: Pick<Http, "fetch" | "socket">;
  clock: Clock;
  log: Logger;
  /** Handles one delivery; the result is the acknowledgement, undefined for none. */
  receive(frame: Extract<SocketFrame, { kind: "delivery" }>, bytes: number): Promise<string | undefined>;
}

/** The integration whose connection is opened. */
export interface LinkTarget {
  entry: SocketEntry;
  provider: Provider;
  ingress: SocketIngress;
}

/** Why a connection leaves: the provider replaces it, and it serves a little longer; or it has ended. */
export type Leaving = { replace: true; why: string } | { replace?: undefined; reason: string; message: string };

/** One connection that is ready. */
export interface Link {
  /** Resolves when another connection is needed. */
  leaving: Promise<Leaving>;
  /** Resolves when the connection is closed. */
  closed: Promise<void>;
  /** Lets the provider close a connection that it replaces, because it may send over it until then; closes it after a while. */
  expire(): Promise<void>;
  /** Finishes the open envelopes, then closes. */
  retire(): Promise<void>;
  /** Closes at once: what was not acknowledged is delivered again. */
  destroy(): void;
}

/** Opens a connection; resolves when the provider has said that it is ready. Throws `BellhopError` with a condition reason. */
export async function openLink(deps: LinkDeps, target: LinkTarget, signal: AbortSignal): Promise<Link> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(openTimeoutMs)]);
  const { url, host } = target.entry;
  const token = Buffer.from(target.entry.token, "base64").toString("utf8").trim();
  const { clock, log, http } = deps;
  const address = await target.ingress.open({ url, host, token }, { clock, log, fetch: http.fetch }, limit);
  const link = new OpenLink(deps, target.ingress, address);
  const giveUp = (): void => link.destroy();
  limit.addEventListener("abort", giveUp, { once: true });
  try {
    await link.ready;
    return link;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BellhopError) throw error;
    throw new BellhopError("Disconnected", `cannot connect to ${host}: ${describeError(error)}`, { retryable: true });
  } finally {
    limit.removeEventListener("abort", giveUp);
  }
}

class OpenLink implements Link {
  readonly #deps: LinkDeps;
  readonly #ingress: SocketIngress;
  readonly #socket;
  readonly #ready = Promise.withResolvers<void>();
  readonly #leaving = Promise.withResolvers<Leaving>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #open = new Set<Promise<void>>();
  #aliveAtMs: number;
  #cancelPing: () => void = () => {};

  constructor(deps: LinkDeps, ingress: SocketIngress, address: string) {
    this.#deps = deps;
    this.#ingress = ingress;
    this.#aliveAtMs = deps.clock.monotonicMs();
    this.#ready.promise.catch(() => undefined); // `openLink` waits for it, if the connection does not end before
    this.#socket = deps.http.socket(address, {
      message: (text) => this.#message(text),
      alive: () => this.#alive(),
      closed: (error) => this.#ended("Disconnected", describeError(error), error),
    });
    this.#schedulePing();
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get leaving(): Promise<Leaving> {
    return this.#leaving.promise;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async expire(): Promise<void> {
    await Promise.race([this.closed, sleep(this.#deps.clock, expireMs)]);
    await this.retire();
  }

  async retire(): Promise<void> {
    const { clock } = this.#deps;
    await Promise.race([Promise.all(this.#open), sleep(clock, finishMs)]);
    this.#socket.close();
    await Promise.race([this.closed, sleep(clock, goodbyeMs)]);
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#ended("Disconnected", "the gateway closed the connection");
  }

  #message(text: string): void {
    this.#alive();
    const frame = this.#ingress.read(text, this.#deps.clock.now());
    if (frame.kind === "ready") this.#ready.resolve();
    else if (frame.kind === "delivery") this.#deliver(frame, Buffer.byteLength(text));
    else if (frame.kind === "replace") this.#leaving.resolve({ replace: true, why: frame.why });
    else if (frame.kind === "refused") this.#refused(frame);
    else this.#other(frame);
  }

  #deliver(frame: Extract<SocketFrame, { kind: "delivery" }>, bytes: number): void {
    const handled = this.#handle(frame, bytes).finally(() => this.#open.delete(handled));
    this.#open.add(handled);
  }

  /** Never rejects. */
  async #handle(frame: Extract<SocketFrame, { kind: "delivery" }>, bytes: number): Promise<void> {
    try {
      const acknowledgement = await this.#deps.receive(frame, bytes);
      if (acknowledgement !== undefined) this.#socket.send(acknowledgement);
    } catch (error) {
      this.#deps.log.error({ error }, "could not handle a delivery");
    }
  }

  #refused({ reason, message }: Extract<SocketFrame, { kind: "refused" }>): void {
    this.#ended(reason, message, new BellhopError(reason, message, { retryable: true }));
    this.#socket.destroy();
  }

  #other({ what, acknowledgement }: Extract<SocketFrame, { kind: "other" }>): void {
    this.#deps.log.debug({ what }, "ignored a message of the provider");
    if (acknowledgement !== undefined) this.#socket.send(acknowledgement);
  }

  #alive(): void {
    this.#aliveAtMs = this.#deps.clock.monotonicMs();
  }

  #schedulePing(): void {
    this.#cancelPing = this.#deps.clock.after(pingEveryMs, () => {
      if (this.#deps.clock.monotonicMs() - this.#aliveAtMs > silentMs) {
        this.#ended("NoSignOfLife", `no answer to pings for ${silentMs / 1_000} s`);
        this.#socket.destroy();
        return;
      }
      this.#socket.ping();
      this.#schedulePing();
    });
  }

  /** Only the first end counts. */
  #ended(reason: string, message: string, error: Error = new Error(message)): void {
    this.#cancelPing();
    this.#ready.reject(error);
    this.#leaving.resolve({ reason, message });
    this.#closed.resolve();
  }
}
