import { eventFaults } from "./event-check.ts";
import {
  assertNone,
  checkCalls,
  emptyCheckedCalls,
  type CheckedCalls,
  type Violation,
} from "../stand-in/checked-calls.ts";
import { loadSpec, type Exchange } from "./spec-check.ts";
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

/** The stand-in's log of calls. An unknown call is the name of a method. */
export interface CallLog extends CheckedCalls<Exchange> {
  calls: ApiCall[];
}

/** Creates an empty log. */
export function emptyCallLog(): CallLog {
  return { calls: [], ...emptyCheckedCalls<Exchange>() };
}

/** Checks all calls and events so far and returns their violations. */
export function violationsOf(log: CallLog, deliveries: Delivery[]): Violation[] {
  return [...checkCalls(log, loadSpec()?.check), ...eventFaults(deliveries)];
}

/** Throws an error that names all violations, of the client and of the stand-in. */
export function assertClean(log: CallLog, deliveries: Delivery[]): void {
  assertNone("Slack", log, violationsOf(log, deliveries));
}
