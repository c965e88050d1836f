import { type Clock, sleep } from "../shared/clock.ts";
import { BellhopError } from "../shared/errors.ts";
import type { Logger } from "../shared/log.ts";
import { withinSignal } from "../shared/within-signal.ts";
import { isAlreadyExists, isConflict } from "./errors.ts";
import type { KubeMetrics } from "./metrics.ts";
import { toMicroTime } from "./micro-time.ts";
import { type Lease, leases } from "./resources.ts";
import type { KubeClient } from "./types.ts";

/** The numbers that client-go and controller-runtime have. */
const defaultTiming: LeaderTiming = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

/** How long a lease holds, when its holder gives up, and how often both sides look. */
export interface LeaderTiming {
  leaseMs: number;
  /** Below `leaseMs`: the old leader is out before the next is in. */
  renewDeadlineMs: number;
  retryMs: number;
}

/** What leading takes. */
export interface LeaderOptions {
  client: Pick<KubeClient, "find" | "create" | "replace">;
  /** Of the Lease. */
  namespace: string;
  name: string;
  /** Unique to this process: the pod's name and something random. */
  identity: string;
  clock: Clock;
  log: Logger;
  metrics?: KubeMetrics;
  /** The lease could not be kept: the process must end at once, as another leads from now on. Never called after `release`. */
  onLost: (reason: string) => void;
  timing?: LeaderTiming;
}

/** One candidate for one Lease. */
export interface Leader {
  readonly isLeader: boolean;
  /** Resolves when this process leads; rejects when `signal` aborts. Failures on the way are logged and tried again. */
  acquire(signal: AbortSignal): Promise<void>;
  /** Stops renewing and gives the lease back, so that the next need not wait for its end. Failures are logged: it then runs out. */
  release(): Promise<void>;
}

/** Makes a candidate; it does nothing before `acquire`. */
export function createLeader(options: LeaderOptions): Leader {
  return new LeaseLeader(options);
}

class LeaseLeader implements Leader {
  readonly #options: LeaderOptions;
  readonly #timing: LeaderTiming;
  readonly #log: Logger;
  readonly #renewing = new AbortController();
  /** What we last saw, and when by our own clock: others' clocks are not compared with ours. */
  #seen: { renewal: string; atMs: number } | undefined;
  #held: Lease | undefined;
  #renewedAtMs = 0;
  #loop: Promise<void> | undefined;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#timing = options.timing ?? defaultTiming;
    this.#log = options.log.child({ lease: options.name, identity: options.identity });
    this.#setMetric(0);
  }

  get isLeader(): boolean {
    return this.#held !== undefined;
  }

  async acquire(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const waitMs = await this.#tryAcquire(signal);
      if (this.#held) break;
      await sleep(this.#options.clock, waitMs, signal);
    }
    this.#setMetric(1);
    this.#log.info({}, "leading");
    this.#loop = this.#keep(this.#renewing.signal);
  }

  async release(): Promise<void> {
    this.#renewing.abort(new Error("released"));
    await this.#loop;
    const held = this.#held;
    if (!held) return;
    this.#lose();
    try {
      await this.#giveBack(held).catch((error: unknown) => this.#giveBackNewest(error));
      this.#log.info({}, "lease released");
    } catch (error) {
      this.#log.warn({ error }, "the lease could not be released, it runs out by itself");
    }
  }

  async #giveBack(lease: Lease): Promise<void> {
    const spec = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: this.#stamp() };
    await this.#options.client.replace(leases, { ...lease, spec });
  }

  /** After a conflict: a renewal that we no longer waited for may have been written all the same. */
  async #giveBackNewest(error: unknown): Promise<void> {
    const { client, namespace, name, identity } = this.#options;
    const newest = isConflict(error) ? await client.find(leases, { namespace, name }) : undefined;
    if (newest?.spec?.holderIdentity !== identity) throw error;
    await this.#giveBack(newest);
  }

  /** One try; sets `#held` or answers how long to wait before the next. */
  async #tryAcquire(signal: AbortSignal): Promise<number> {
    const { client, namespace, name } = this.#options;
    const limit = this.#limit(this.#timing.renewDeadlineMs / 2, signal);
    try {
      const lease = await withinSignal(client.find(leases, { namespace, name }, limit.signal), limit.signal);
      const freeInMs = lease ? this.#freeInMs(lease) : 0;
      if (freeInMs > 0) return Math.min(freeInMs, this.#timing.retryMs);
      await this.#take(lease, limit.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isConflict(error) && !isAlreadyExists(error)) this.#log.warn({ error }, "could not read or take the lease");
    } finally {
      limit.cancel();
    }
    return this.#timing.retryMs;
  }

  /** How long the lease is still somebody else's, counted from when we saw it renewed. */
  #freeInMs(lease: Lease): number {
    const { holderIdentity, leaseDurationSeconds, renewTime } = lease.spec ?? {};
    if (!holderIdentity || holderIdentity === this.#options.identity) return 0;
    const renewal = `${holderIdentity} ${renewTime} ${lease.metadata.resourceVersion}`;
    if (this.#seen?.renewal !== renewal) {
      this.#log.debug({ holder: holderIdentity }, "another leads");
      this.#seen = { renewal, atMs: this.#nowMs() };
    }
    return this.#seen.atMs + (leaseDurationSeconds ?? this.#timing.leaseMs / 1000) * 1000 - this.#nowMs();
  }

  async #take(lease: Lease | undefined, signal: AbortSignal): Promise<void> {
    const { client, namespace, name, identity } = this.#options;
    const startedMs = this.#nowMs();
    const spec: NonNullable<Lease["spec"]> = {
      holderIdentity: identity,
      leaseDurationSeconds: this.#timing.leaseMs / 1000,
      acquireTime: this.#stamp(),
      renewTime: this.#stamp(),
      leaseTransitions: (lease?.spec?.leaseTransitions ?? -1) + 1,
    };
    this.#held = lease
      ? await client.replace(leases, { ...lease, spec }, { signal })
      : await client.create(leases, { metadata: { namespace, name }, spec }, { signal });
    this.#renewedAtMs = startedMs;
  }

  /** Renews until released or lost. Never rejects. */
  async #keep(signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(this.#options.clock, this.#timing.retryMs, signal).catch(() => undefined); // rejects only on abort
      if (signal.aborted) return;
      const lost = await this.#renew(signal);
      if (signal.aborted) return;
      if (lost !== undefined) {
        this.#lose();
        this.#log.error({ reason: lost }, "leadership lost");
        this.#options.onLost(lost);
        return;
      }
    }
  }

  /** One renewal within what is left of the deadline; answers why the lease is lost, if it is. */
  async #renew(signal: AbortSignal): Promise<string | undefined> {
    const { client, identity } = this.#options;
    const startedMs = this.#nowMs();
    const leftMs = this.#renewUntilMs(startedMs) - startedMs;
    if (leftMs <= 0) return this.#overdue();
    const limit = this.#limit(leftMs, signal);
    try {
      const held = this.#held;
      if (!held) return "the lease is not held";
      this.#held = await withinSignal(
        client.replace(leases, { ...held, spec: { ...held.spec, renewTime: this.#stamp() } }, { signal: limit.signal }),
        limit.signal,
      );
      this.#renewedAtMs = startedMs;
      return undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#log.warn({ error }, "could not renew the lease");
      const other = isConflict(error) ? await this.#readAgain(limit.signal).catch(() => undefined) : undefined;
      if (other !== undefined && other !== identity) return `the lease is held by ${other || "nobody"}`;
      return this.#nowMs() - this.#renewedAtMs >= this.#timing.renewDeadlineMs ? this.#overdue() : undefined;
    } finally {
      limit.cancel();
    }
  }

  /**
   * Until when a renewal that starts now may be answered: the deadline. One that starts after it, because a busy event loop woke us late,
   * has until shortly before the lease ends: no standby takes it earlier, and giving up would end a leader that is well.
   */
  #renewUntilMs(startedMs: number): number {
    const { renewDeadlineMs, leaseMs, retryMs } = this.#timing;
    const deadlineMs = this.#renewedAtMs + renewDeadlineMs;
    return startedMs < deadlineMs ? deadlineMs : this.#renewedAtMs + leaseMs - retryMs;
  }

  #overdue(): string {
    return `not renewed for ${this.#timing.renewDeadlineMs / 1000} s`;
  }

  /** After a conflict: who holds the lease now? If it is still us, what we hold is made current. */
  async #readAgain(signal: AbortSignal): Promise<string> {
    const { client, namespace, name, identity } = this.#options;
    const lease = await client.find(leases, { namespace, name }, signal);
    const holder = lease?.spec?.holderIdentity ?? "";
    if (lease && holder === identity) this.#held = lease;
    return holder;
  }

  /** Aborts with `signal`, or after so long. */
  #limit(ms: number, signal: AbortSignal): { signal: AbortSignal; cancel: () => void } {
    const deadline = new AbortController();
    const giveUp = (): void => deadline.abort(new BellhopError("RenewDeadline", "no answer in time"));
    return {
      signal: AbortSignal.any([signal, deadline.signal]),
      cancel: this.#options.clock.after(ms, giveUp),
    };
  }

  #lose(): void {
    this.#held = undefined;
    this.#setMetric(0);
  }

  #setMetric(value: 0 | 1): void {
    this.#options.metrics?.leader.set({ name: this.#options.name }, value);
  }

  #stamp(): string {
    return toMicroTime(this.#options.clock.now());
  }

  /** Not the wall clock: set back, it would let a leader that cannot renew go on beside the next. */
  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}
