import { type Clock, sleep } from "../shared/clock.ts";
import { BellhopError } from "../shared/errors.ts";
import type { Logger } from "../shared/log.ts";
import { withinSignal } from "../shared/within-signal.ts";
import { isAlreadyExists, isConflict } from "./errors.ts";
import type { KubeMetrics } from "./metrics.ts";
import { toMicroTime } from "./micro-time.ts";
import { type Lease, leases } from "./resources.ts";
import type { KubeClient } from "./types.ts";

/** The defaults of client-go and controller-runtime. */
const defaultTiming: LeaderTiming = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

/** Duration of a lease, when its holder gives up, and how often both sides check. */
export interface LeaderTiming {
  leaseMs: number;
  /** Less than `leaseMs`, so that the old leader stops before the next one starts. */
  renewDeadlineMs: number;
  retryMs: number;
}

/** Options of a candidate. */
export interface LeaderOptions {
  client: Pick<KubeClient, "find" | "create" | "replace">;
  /** Namespace of the Lease. */
  namespace: string;
  name: string;
  /** Unique to this process: the pod's name and a random part. */
  identity: string;
  clock: Clock;
  log: Logger;
  metrics?: KubeMetrics;
  /** Called when the lease was lost: the process must end at once, because another one leads from now on. Never called after `release`. */
  onLost: (reason: string) => void;
  /** Called after each renewal: whether the API server answered. */
  onRenewal?: (answered: boolean) => void;
  timing?: LeaderTiming;
  /** Annotations that the holder writes into the Lease with every renewal, to say what it does with it. */
  annotations?: () => Record<string, string>;
}

/** One candidate for one Lease. */
export interface Leader {
  readonly isLeader: boolean;
  /** Resolves when this process leads; rejects when `signal` aborts. Failures are logged and retried. */
  acquire(signal: AbortSignal): Promise<void>;
  /** Stops renewing and releases the lease, so that the next candidate need not wait for its expiry. On a failure, which is logged, it expires. */
  release(): Promise<void>;
}

/** Creates a candidate; it does nothing before `acquire`. */
export function createLeader(options: LeaderOptions): Leader {
  return new LeaseLeader(options);
}

class LeaseLeader implements Leader {
  readonly #options: LeaderOptions;
  readonly #timing: LeaderTiming;
  readonly #log: Logger;
  readonly #renewing = new AbortController();
  /** The last observed lease, and when we observed it by our own clock, because clocks of other processes may differ from ours. */
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
      this.#log.warn({ error }, "could not release the lease, it will expire");
    }
  }

  async #giveBack(lease: Lease): Promise<void> {
    const spec = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: this.#stamp() };
    await this.#options.client.replace(leases, { ...lease, spec });
  }

  /** After a conflict: a renewal that timed out for us may have been written anyway. */
  async #giveBackNewest(error: unknown): Promise<void> {
    const { client, namespace, name, identity } = this.#options;
    const newest = isConflict(error) ? await client.find(leases, { namespace, name }) : undefined;
    if (newest?.spec?.holderIdentity !== identity) throw error;
    await this.#giveBack(newest);
  }

  /** One attempt; sets `#held`, or returns how long to wait before the next attempt. */
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

  /** How long another process still holds the lease, counted from when we observed its renewal. */
  #freeInMs(lease: Lease): number {
    const { holderIdentity, leaseDurationSeconds, renewTime } = lease.spec ?? {};
    if (!holderIdentity || holderIdentity === this.#options.identity) return 0;
    const renewal = `${holderIdentity} ${renewTime} ${lease.metadata.resourceVersion}`;
    if (this.#seen?.renewal !== renewal) {
      this.#log.debug({ holder: holderIdentity }, "another process is the leader");
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
      ? await client.replace(leases, this.#annotated({ ...lease, spec }), { signal })
      : await client.create(leases, this.#annotated({ metadata: { namespace, name }, spec }), { signal });
    this.#renewedAtMs = startedMs;
  }

  /** Renews the lease until it is released or lost. Never rejects. */
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

  /** One renewal within the rest of the deadline; returns the reason if the lease is lost. */
  async #renew(signal: AbortSignal): Promise<string | undefined> {
    const { client } = this.#options;
    const startedMs = this.#nowMs();
    const leftMs = this.#renewUntilMs(startedMs) - startedMs;
    if (leftMs <= 0) return this.#overdue();
    const limit = this.#limit(leftMs, signal);
    try {
      const held = this.#held;
      if (!held) return "the lease is not held";
      this.#held = await withinSignal(
        client.replace(leases, this.#annotated({ ...held, spec: { ...held.spec, renewTime: this.#stamp() } }), {
          signal: limit.signal,
        }),
        limit.signal,
      );
      this.#renewedAtMs = startedMs;
      this.#options.onRenewal?.(true);
      return undefined;
    } catch (error) {
      return signal.aborted ? undefined : await this.#lostBy(error, limit.signal);
    } finally {
      limit.cancel();
    }
  }

  /** After a renewal that failed: the reason if the lease is lost. */
  async #lostBy(thrown: unknown, signal: AbortSignal): Promise<string | undefined> {
    this.#log.warn({ error: thrown }, "could not renew the lease");
    // A conflict is an answer.
    this.#options.onRenewal?.(isConflict(thrown));
    const other = isConflict(thrown) ? await this.#readAgain(signal).catch(() => undefined) : undefined;
    if (other !== undefined && other !== this.#options.identity) return `the lease is held by ${other || "nobody"}`;
    return this.#nowMs() - this.#renewedAtMs >= this.#timing.renewDeadlineMs ? this.#overdue() : undefined;
  }

  /**
   * Until when a renewal that starts now may be answered: the deadline. A renewal that starts after it, because a busy event loop delayed it,
   * has until shortly before the lease expires: no standby takes the lease earlier, and giving up would end a healthy leader.
   */
  #renewUntilMs(startedMs: number): number {
    const { renewDeadlineMs, leaseMs, retryMs } = this.#timing;
    const deadlineMs = this.#renewedAtMs + renewDeadlineMs;
    return startedMs < deadlineMs ? deadlineMs : this.#renewedAtMs + leaseMs - retryMs;
  }

  #annotated(lease: Lease): Lease {
    const ours = this.#options.annotations?.();
    if (!ours) return lease;
    return { ...lease, metadata: { ...lease.metadata, annotations: { ...lease.metadata.annotations, ...ours } } };
  }

  #overdue(): string {
    return `not renewed for ${this.#timing.renewDeadlineMs / 1000} s`;
  }

  /** After a conflict: reads who holds the lease now. If it is still us, updates our copy. */
  async #readAgain(signal: AbortSignal): Promise<string> {
    const { client, namespace, name, identity } = this.#options;
    const lease = await client.find(leases, { namespace, name }, signal);
    const holder = lease?.spec?.holderIdentity ?? "";
    if (lease && holder === identity) this.#held = lease;
    return holder;
  }

  /** A signal that aborts with `signal`, or after the given time. */
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

  /** Not the wall clock: if that is set back, a leader that cannot renew would continue beside the next one. */
  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}
