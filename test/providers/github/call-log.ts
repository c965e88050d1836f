import type { GitCall } from "./git/audit.ts";
import { loadSpec, type Exchange, type Violation } from "./spec-check.ts";

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

/** The stand-in's log of requests. */
export interface CallLog {
  rest: RestCall[];
  git: GitCall[];
  violations: Violation[];
  /** Exchanges that are not yet checked against the description. The check is slow, so it runs only on request. */
  unchecked: Exchange[];
  /** `METHOD /path` of requests to unknown routes. */
  unknown: string[];
}

/** Creates an empty log. */
export function emptyCallLog(): CallLog {
  return { rest: [], git: [], violations: [], unchecked: [], unknown: [] };
}

/** Checks all requests so far and returns their violations. */
export function violationsOf(log: CallLog): Violation[] {
  const spec = loadSpec();
  for (const exchange of log.unchecked.splice(0)) log.violations.push(...(spec?.check(exchange) ?? []));
  return log.violations;
}

/** Throws an error that names all violations, of the client and of the stand-in. */
export function assertClean(log: CallLog): void {
  const lines = [
    ...log.unknown.map((request) => `unknown route: ${request}`),
    ...violationsOf(log).map(({ side, operation, message }) => `${side} of ${operation}: ${message}`),
  ];
  if (lines.length > 0) throw new Error(`GitHub's description was violated:\n${[...new Set(lines)].join("\n")}`);
}
