import type { ParsedCommand } from "../integrations/types.ts";
import { defined } from "../shared/defined.ts";

const bare = /^(stop|retry|status|continue|help)[.!]?$/i;
const approve = /^approve(?:\s+([0-9a-f]{7,64}))?[.!]?$/i;

/**
 * The command in the text after a mention. The whole first line must be a command, for example `stop` or `approve 1a2b3c4`.
 * Undefined for other text, which is a request for work: "stop using tabs" asks for work, and so does a text with a command below its first line.
 */
export function parseCommand(text: string): ParsedCommand | undefined {
  const line = (text.split(/\r\n|\n|\r/, 1)[0] ?? "").trim();
  const simple = bare.exec(line)?.[1]?.toLowerCase();
  if (simple !== undefined) return { command: simple as ParsedCommand["command"] };
  const approval = approve.exec(line);
  if (!approval) return undefined;
  const argument = approval[1]?.toLowerCase();
  return { command: "approve", ...defined({ argument }) };
}
