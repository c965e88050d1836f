import { writeFileSync } from "node:fs";
import { secretRegistry } from "../shared/redact.ts";
import { type CourierOutcome, maxOutcomeBytes } from "../sandbox/protocol/outcome.ts";

/** An outcome without what every one of them has. */
export type Ending = Omit<CourierOutcome, "version" | "attempt">;

/** Writes the termination message: one JSON line of at most 2 KiB; the sentence is shortened until it fits. */
export function writeOutcome(file: string, attempt: number, ending: Ending): void {
  writeFileSync(file, encodeOutcome({ version: 1, attempt, ...ending }));
}

/** The JSON of an outcome, within `maxOutcomeBytes`. */
export function encodeOutcome(outcome: CourierOutcome): string {
  let message = plain(outcome.message).slice(0, 1024);
  for (;;) {
    const text = JSON.stringify({ ...outcome, message });
    if (Buffer.byteLength(text) <= maxOutcomeBytes) return text;
    message = `${message.slice(0, Math.floor(message.length * 0.8))}…`;
  }
}

/**
 * Text that may come from the agent's side, without control characters and secrets: the agent may have printed its own capability, which is
 * in its git configuration, or one of our git processes has printed ours.
 */
export function plain(text: string): string {
  return secretRegistry.redact(text).replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");
}
