import type { PublishCommand } from "../api/agent-task-status.ts";
import { Refusal } from "./refusal.ts";

/** A ref update, as a git client requests it from receive-pack. */
export interface RefUpdate {
  oldId: string;
  newId: string;
  ref: string;
}

/** Maximum size of a command list: one command, and one line for each commit at which a shallow history ends. */
const maxCommandBytes = 262_144;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads the command list at the head of a receive-pack request (pkt-lines up to the first flush packet), or undefined while more bytes
 * are needed. Throws `Refusal` for any other input. Source: gitprotocol-pack(5), "Reference Update Request".
 */
export function readCommands(bytes: Buffer): RefUpdate[] | undefined {
  const commands: RefUpdate[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = packetLength(bytes, at);
    if (length === 0) return commands;
    if (at + length > bytes.length) return needMore(bytes);
    const line = lineOf(bytes.subarray(at + 4, at + length));
    // A line that marks an end of the courier's shallow history. The code host checks it itself.
    if (!/^shallow [0-9a-f]+\n?$/.test(line)) commands.push(readCommand(line));
    at += length;
  }
  return needMore(bytes);
}

/** Throws `Refusal` unless the commands are exactly the push that the operator allowed. */
export function requireCommand(commands: readonly RefUpdate[], allowed: PublishCommand | undefined): void {
  if (!allowed) throw notPublished();
  const [only, ...more] = commands;
  const zero = "0".repeat(allowed.newId.length);
  const same =
    only && only.ref === allowed.ref && only.newId === allowed.newId && only.oldId === (allowed.oldId ?? zero);
  if (!same || more.length > 0) {
    const asked = commands.map(({ ref, oldId, newId }) => `${ref} from ${oldId} to ${newId}`).join(", ");
    throw new Refusal(
      403,
      "WrongPush",
      `the operator allowed only the push of ${allowed.ref} from ${allowed.oldId ?? "nothing"} to ${allowed.newId}; the request asks for: ${asked || "nothing"}`,
    );
  }
}

/** The refusal of a push that the operator has not allowed yet. */
export function notPublished(): Refusal {
  return new Refusal(
    403,
    "NotPublished",
    "the operator has not allowed a push for this task yet; wait until status.publish is set",
  );
}

function packetLength(bytes: Buffer, at: number): number {
  const digits = bytes.toString("latin1", at, at + 4);
  const length = Number.parseInt(digits, 16);
  if (!/^[0-9a-f]{4}$/i.test(digits) || (length > 0 && length < 4)) {
    throw new Refusal(400, "MalformedPush", "the request is not a git receive-pack request");
  }
  return length;
}

function needMore(bytes: Buffer): undefined {
  if (bytes.length > maxCommandBytes) throw new Refusal(413, "MalformedPush", "the list of ref updates is too long");
  return undefined;
}

/** Decodes strictly. After a lenient decoding, the compared ref could differ from the forwarded bytes. */
function lineOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Refusal(400, "MalformedPush", "the list of ref updates is not UTF-8");
  }
}

function readCommand(line: string): RefUpdate {
  const [command = "", capabilities = ""] = line.split("\0");
  const match = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (refs\/[^\s]+)\n?$/.exec(command);
  if (!match?.[1] || !match[2] || !match[3]) {
    throw new Refusal(403, "MalformedPush", "only plain ref updates may be pushed, without push certificates");
  }
  // With push options a code host can open, approve or merge changes, which the operator has not allowed.
  if (/(?:^|\s)push-options(?:\s|$)/.test(capabilities)) {
    throw new Refusal(403, "MalformedPush", "the broker accepts only pushes without push options");
  }
  return { oldId: match[1], newId: match[2], ref: match[3] };
}
