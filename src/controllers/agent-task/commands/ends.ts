import type { Decision } from "../facts.ts";

/** Actions of commands; each is idempotent. */
export type CommandAction =
  | { do: "stop"; targets: string[] }
  | { do: "again"; original: string }
  | { do: "approve"; target: string; branch: string; commit: string }
  /** Approves work before it runs. */
  | { do: "allow"; target: string }
  | { do: "use"; target: string; repository: string }
  /** Asks the sender for the repository, in a message that only they see. */
  | { do: "ask"; target: string };

/** Ends the command with success; `message` is the answer to the person. */
export function commandSucceeded(reason: string, message: string): Decision<never> {
  return { conditions: [{ type: "Succeeded", status: "True", reason, message }] };
}

/** Ends the command without carrying it out; `message` says why. */
export function commandRefused(reason: string, message: string): Decision<never> {
  return { conditions: [{ type: "Succeeded", status: "False", reason, message }] };
}
