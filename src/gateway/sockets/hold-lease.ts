import { createLeader, type LeaderOptions } from "../../kube/leader.ts";

/** The Lease to hold, without what `holdLease` adds. */
export type LeaseOptions = Omit<LeaderOptions, "onLost">;

/** The work of a holder. `begin` is called when the Lease is held, and one of the others when it is not any more. */
export interface Holder {
  begin(): void;
  /** The Lease is still held: it is released when this resolves. */
  end(): Promise<void>;
  /** Another process holds the Lease from now on: nothing may continue. */
  lost(): void;
}

/** Competes for the Lease until `signal` aborts. Losing it does not end the process: it competes again. */
export async function holdLease(options: LeaseOptions, holder: Holder, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const lost = new AbortController();
    const leader = createLeader({ ...options, onLost: (reason) => lost.abort(new Error(reason)) });
    try {
      await leader.acquire(signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    holder.begin();
    await aborted(AbortSignal.any([lost.signal, signal]));
    if (lost.signal.aborted) holder.lost();
    else await holder.end();
    await leader.release();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
