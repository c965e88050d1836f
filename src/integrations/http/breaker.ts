import type { Clock } from "../../shared/clock.ts";

/** When a host counts as down, and how long no call goes to it. */
export interface BreakerOptions {
  /** Failures in a row that open the circuit. */
  failures: number;
  /** How long the circuit stays open, unless the host asked for a longer pause. */
  openMs: number;
  /** The longest pause that a host may ask for. */
  maxOpenMs: number;
}

/** A circuit breaker per host: after several failures in a row no call goes to the host for a while, then one trial call does. */
export interface Breaker {
  /** Milliseconds to wait before `host` may be called, or 0 for now. If the circuit is open, 0 makes this call the trial. */
  waitMs(host: string): number;
  /** Returns whether the circuit was open: the host is back. */
  succeeded(host: string): boolean;
  /** `askedMs` is the pause that the host asked for (`Retry-After`); it opens the circuit at once. */
  failed(host: string, askedMs?: number): void;
  /** The call ended without information about the host, because its caller aborted it. Another call may then be the trial. */
  abandoned(host: string): void;
}

interface Circuit {
  failures: number;
  openUntilMs: number;
  trial: boolean;
}

/** Creates the circuit breaker for all hosts of the process. */
export function createBreaker(clock: Clock, options: BreakerOptions): Breaker {
  const circuits = new Map<string, Circuit>();
  const nowMs = (): number => clock.now().getTime();

  return {
    waitMs(host) {
      const circuit = circuits.get(host);
      if (!circuit || circuit.openUntilMs === 0) return 0;
      const left = circuit.openUntilMs - nowMs();
      if (left > 0) return left;
      if (circuit.trial) return options.openMs;
      circuit.trial = true;
      return 0;
    },
    succeeded(host) {
      const wasOpen = (circuits.get(host)?.openUntilMs ?? 0) > 0;
      circuits.delete(host);
      return wasOpen;
    },
    failed(host, askedMs) {
      const circuit = circuits.get(host) ?? { failures: 0, openUntilMs: 0, trial: false };
      circuit.failures += 1;
      circuit.trial = false;
      if (askedMs !== undefined) circuit.openUntilMs = nowMs() + Math.min(askedMs, options.maxOpenMs);
      else if (circuit.failures >= options.failures) circuit.openUntilMs = nowMs() + options.openMs;
      circuits.set(host, circuit);
    },
    abandoned(host) {
      const circuit = circuits.get(host);
      if (circuit) circuit.trial = false;
    },
  };
}
