import type { GitCall } from "./git/audit.ts";
import { loadSpec } from "./spec-check.ts";
import type { Exchange } from "./spec-check.ts";

/** A REST request as it came and went; never with its token. */
export interface RestCall {
  at: string;
  method: string;
  /** Without `/api/v3` and query. */
  path: string;
  query: string;
  /** The operation of the table, or null where there is none. */
  operation: string | null;
  identity: string;
  body: unknown;
  status: number;
}

/** Something that GitHub's description does not allow. `request`: the client's fault; `response`: the stand-in's. */
export interface Violation {
  side: "request" | "response";
  operation: string;
  message: string;
}

/** What the stand-in remembers of its callers. */
export interface CallLog {
  rest: RestCall[];
  git: GitCall[];
  violations: Violation[];
  /** Exchanges not yet held against the description: that takes its time, so it waits until someone asks. */
  unchecked: Exchange[];
  /** `METHOD /path` of requests to routes that there are not. */
  unknown: string[];
}

/** An empty memory. */
export function emptyCallLog(): CallLog {
  return { rest: [], git: [], violations: [], unchecked: [], unknown: [] };
}

/** Every violation so far, of requests up to now. */
export function violationsOf(log: CallLog): Violation[] {
  const spec = loadSpec();
  for (const exchange of log.unchecked.splice(0)) log.violations.push(...(spec?.check(exchange) ?? []));
  return log.violations;
}

/** Throws naming everything that was wrong, of the client and of the stand-in. */
export function assertClean(log: CallLog): void {
  const lines = [
    ...log.unknown.map((request) => `unknown route: ${request}`),
    ...violationsOf(log).map(({ side, operation, message }) => `${side} of ${operation}: ${message}`),
  ];
  if (lines.length > 0) throw new Error(`GitHub's description was violated:\n${[...new Set(lines)].join("\n")}`);
}
