import { writeFileSync } from "node:fs";
import { secretRegistry } from "../shared/redact.ts";
import { type CourierOutcome, maxOutcomeBytes } from "../sandbox/protocol/outcome.ts";

/** An outcome without the fields that are the same for every outcome of an attempt. */
export type Ending = Omit<CourierOutcome, "version" | "attempt">;

/** Writes the termination message: one JSON line of at most 2 KiB. A longer message is shortened. */
export function writeOutcome(file: string, attempt: number, ending: Ending): void {
  writeFileSync(file, encodeOutcome({ version: 1, attempt, ...ending }));
}

/** Encodes an outcome as JSON of at most `maxOutcomeBytes`. */
export function encodeOutcome(outcome: CourierOutcome): string {
  let message = plain(outcome.message).slice(0, 1024);
  for (;;) {
    const text = JSON.stringify({ ...outcome, message });
    if (Buffer.byteLength(text) <= maxOutcomeBytes) return text;
    message = `${message.slice(0, Math.floor(message.length * 0.8))}…`;
  }
}

/**
 * Removes control characters and secrets from text that may come from the agent. The agent can print its own capability, which is in its git
 * configuration, and a git process of the courier can print the courier's.
 */
export function plain(text: string): string {
  return secretRegistry.redact(text).replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");
}
