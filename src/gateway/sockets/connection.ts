import type { SocketState } from "../../intake/socket-states.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { type Backoff, delayMs } from "../../shared/backoff.ts";
import { sleep } from "../../shared/clock.ts";
import { BellhopError, describeError } from "../../shared/errors.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { openLink, type Leaving, type Link, type LinkDeps, type LinkTarget } from "./link.ts";

const retry: Backoff = { baseMs: 1_000, maxMs: 60_000, jitter: 0.3 };
/** A connection that lived shorter counts as a failure, so that a provider which closes at once is not called again and again. */
const steadyMs = 10_000;

/** Dependencies of `keepConnected`. */
export interface ConnectionDeps extends LinkDeps {
  metrics: Pick<GatewayMetrics, "connections" | "connectionsLost">;
}

/** The connection of one integration, which is opened again whenever it ends. */
export interface Connection {
  readonly state: SocketState;
  /** Finishes the open envelopes, then closes. */
  stop(): Promise<void>;
  /** Closes at once. */
  destroy(): void;
}

/** Connects, and stays connected until it is stopped. */
export function keepConnected(deps: ConnectionDeps, target: LinkTarget): Connection {
  return new KeptConnection(deps, target);
}

class KeptConnection implements Connection {
  readonly #deps: ConnectionDeps;
  readonly #target: LinkTarget;
  readonly #stopping = new AbortController();
  /** Ready connections: one, or two while one replaces the other. */
  readonly #links = new Set<Link>();
  readonly #running: Promise<void>;
  #state: SocketState;
  #failures = 0;
  /** The pause that the provider asked for with its last failure. */
  #askedMs = 0;

  constructor(deps: ConnectionDeps, target: LinkTarget) {
    this.#deps = deps;
    this.#target = target;
    this.#state = { connected: false, since: this.#now(), reason: "Connecting", message: "the gateway is connecting" };
    this.#running = this.#run(this.#stopping.signal);
  }

  get state(): SocketState {
    return this.#state;
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("stopped"));
    await Promise.all([...this.#links].map((link) => link.retire()));
    await this.#running;
  }

  destroy(): void {
    this.#stopping.abort(new Error("stopped"));
    for (const link of this.#links) link.destroy();
  }

  /** Never rejects. */
  async #run(signal: AbortSignal): Promise<void> {
    let previous: Link | undefined;
    while (!signal.aborted) {
      const link = await this.#open(signal);
      if (link) {
        void previous?.expire();
        previous = link;
        const startedMs = this.#deps.clock.monotonicMs();
        const leaving = await link.leaving;
        if (signal.aborted) return;
        this.#left(link, leaving, this.#deps.clock.monotonicMs() - startedMs);
      }
      if (this.#failures > 0) await this.#wait(signal);
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const waitMs = Math.max(delayMs(retry, this.#failures), this.#askedMs);
    await sleep(this.#deps.clock, waitMs, signal).catch(() => undefined); // rejects only on abort
  }

  async #open(signal: AbortSignal): Promise<Link | undefined> {
    try {
      const link = await openLink(this.#deps, this.#target, signal);
      if (signal.aborted) {
        link.destroy();
        return undefined;
      }
      this.#opened(link);
      return link;
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
      return undefined;
    }
  }

  #opened(link: Link): void {
    const { metrics, log } = this.#deps;
    const { provider } = this.#target.entry;
    this.#links.add(link);
    metrics.connections.inc({ provider });
    void this.#afterwards(link);
    this.#askedMs = 0;
    this.#set({ connected: true });
    log.info({ provider, ...this.#about }, "connected");
  }

  async #afterwards(link: Link): Promise<void> {
    await link.closed;
    this.#links.delete(link);
    this.#deps.metrics.connections.dec({ provider: this.#target.entry.provider });
    if (this.#links.size === 0 && this.#state.connected)
      this.#set({ connected: false, reason: "Disconnected", message: "the gateway connects again" });
  }

  #left(link: Link, leaving: Leaving, livedMs: number): void {
    this.#failures = livedMs >= steadyMs ? 0 : this.#failures + 1;
    if (leaving.replace) {
      this.#deps.log.info({ ...this.#about, why: leaving.why }, "replacing a connection");
      return;
    }
    this.#links.delete(link);
    this.#lost(leaving.reason, leaving.message);
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    this.#askedMs = error instanceof ProviderError ? (error.retryAfterMs ?? 0) : 0;
    this.#lost(error instanceof BellhopError ? error.code : "Disconnected", describeError(error));
  }

  #lost(reason: string, message: string): void {
    const { metrics, log } = this.#deps;
    metrics.connectionsLost.inc({ provider: this.#target.entry.provider, reason });
    log.warn({ ...this.#about, reason, why: message }, "a connection ended or could not be made");
    if (this.#links.size === 0) this.#set({ connected: false, reason, message });
  }

  get #about(): Record<string, unknown> {
    const [member] = this.#target.entry.members;
    return { integration: member?.name, namespace: member?.namespace };
  }

  /** `since` stays while the connection is in the same state. */
  #set(next: Omit<SocketState, "since">): void {
    const since = next.connected === this.#state.connected ? this.#state.since : this.#now();
    this.#state = { ...next, since };
  }

  #now(): string {
    return this.#deps.clock.now().toISOString();
  }
}
