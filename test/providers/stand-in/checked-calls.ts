/** A violation of the provider's own description. `request` is a fault of the client; `response` and `event` are faults of the stand-in. */
export interface Violation {
  side: "request" | "response" | "event";
  /** The operation, the method, or the type of the event. */
  subject: string;
  message: string;
}

/** The part of a stand-in's log that is checked against the provider's description. */
export interface CheckedCalls<Exchange> {
  violations: Violation[];
  /** Exchanges that are not yet checked. The check is slow, so it runs only on request. */
  unchecked: Exchange[];
  /** Calls of routes or methods that the stand-in does not have. */
  unknown: string[];
}

/** Creates an empty list of calls. */
export function emptyCheckedCalls<Exchange>(): CheckedCalls<Exchange> {
  return { violations: [], unchecked: [], unknown: [] };
}

/** Checks all calls so far, if there is a description, and returns their violations. */
export function checkCalls<Exchange>(
  calls: CheckedCalls<Exchange>,
  check: ((exchange: Exchange) => Violation[]) | undefined,
): Violation[] {
  for (const exchange of calls.unchecked.splice(0)) calls.violations.push(...(check?.(exchange) ?? []));
  return calls.violations;
}

/** Throws an error that names all violations, of the client and of the stand-in, and all unknown calls. */
export function assertNone(provider: string, { unknown }: { unknown: string[] }, violations: Violation[]): void {
  const lines = [
    ...unknown.map((call) => `unknown call: ${call}`),
    ...violations.map(({ side, subject, message }) => `${side} of ${subject}: ${message}`),
  ];
  if (lines.length > 0) throw new Error(`${provider}'s description was violated:\n${[...new Set(lines)].join("\n")}`);
}
