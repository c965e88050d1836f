import type { GitCall } from "./git/audit.ts";
import {
  assertNone,
  checkCalls,
  emptyCheckedCalls,
  type CheckedCalls,
  type Violation,
} from "../stand-in/checked-calls.ts";
import { loadSpec, type Exchange } from "./spec-check.ts";

/** A record of one REST request and its answer. It never contains the token. */
export interface RestCall {
  at: string;
  method: string;
  /** Without `/api/v3` and query. */
  path: string;
  query: string;
  /** The operation in the table, or null if there is none. */
  operation: string | null;
  identity: string;
  body: unknown;
  status: number;
}

/** The stand-in's log of requests. An unknown call is `METHOD /path`. */
export interface CallLog extends CheckedCalls<Exchange> {
  rest: RestCall[];
  git: GitCall[];
}

/** Creates an empty log. */
export function emptyCallLog(): CallLog {
  return { rest: [], git: [], ...emptyCheckedCalls<Exchange>() };
}

/** Checks all requests so far and returns their violations. */
export function violationsOf(log: CallLog): Violation[] {
  return checkCalls(log, loadSpec()?.check);
}

/** Throws an error that names all violations, of the client and of the stand-in. */
export function assertClean(log: CallLog): void {
  assertNone("GitHub", log, violationsOf(log));
}
