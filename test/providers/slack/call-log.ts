import { eventFaults } from "./event-check.ts";
import { loadSpec } from "./spec-check.ts";
import type { Exchange, Violation } from "./spec-check.ts";
import type { Delivery } from "./state/deliveries.ts";

/** A record of one call of the Web API and its answer. It never contains the token. */
export interface ApiCall {
  at: string;
  /** For example `chat.postMessage`. */
  method: string;
  /** The bot's name and workspace, or `anonymous`. */
  identity: string;
  /** The arguments; lists and objects of forms are parsed. */
  params: Record<string, unknown>;
  /** The HTTP status. */
  status: number;
  /** `error` of the answer; null after a success. */
  error: string | null;
  /** The answer's JSON. */
  answer: Record<string, unknown>;
}

/** The stand-in's log of calls. */
export interface CallLog {
  calls: ApiCall[];
  violations: Violation[];
  /** Exchanges that are not yet checked against the description. The check is slow, so it runs only on request. */
  unchecked: Exchange[];
  /** Calls of methods that the stand-in does not have. */
  unknown: string[];
}

/** Creates an empty log. */
export function emptyCallLog(): CallLog {
  return { calls: [], violations: [], unchecked: [], unknown: [] };
}

/** Checks all calls and events so far and returns their violations. */
export function violationsOf(log: CallLog, deliveries: Delivery[]): Violation[] {
  const spec = loadSpec();
  for (const exchange of log.unchecked.splice(0)) log.violations.push(...(spec?.check(exchange) ?? []));
  return [...log.violations, ...eventFaults(deliveries)];
}

/** Throws an error that names all violations, of the client and of the stand-in. */
export function assertClean(log: CallLog, deliveries: Delivery[]): void {
  const lines = [
    ...log.unknown.map((method) => `unknown method: ${method}`),
    ...violationsOf(log, deliveries).map(({ side, subject, message }) => `${side} of ${subject}: ${message}`),
  ];
  if (lines.length > 0) throw new Error(`Slack's description was violated:\n${[...new Set(lines)].join("\n")}`);
}
