import type { PublishCommand } from "../api/agent-task-status.ts";
import { Refusal } from "./refusal.ts";

/** A ref update as git's receive-pack asks for it. */
export interface RefUpdate {
  oldId: string;
  newId: string;
  ref: string;
}

const maxCommandBytes = 65_536;

/**
 * Reads the command list at the head of a receive-pack request (pkt-lines up to the first flush packet), or undefined while more bytes
 * are needed. Source: gitprotocol-pack(5), "Reference Update Request".
 */
export function readCommands(bytes: Buffer): RefUpdate[] | undefined {
  const commands: RefUpdate[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = packetLength(bytes, at);
    if (length === 0) return commands;
    if (at + length > bytes.length) return needMore(bytes);
    const line = bytes.toString("utf8", at + 4, at + length);
    // Where the courier's history is cut off; the host checks it itself.
    if (!/^shallow [0-9a-f]+\n?$/.test(line)) commands.push(readCommand(line));
    at += length;
  }
  return needMore(bytes);
}

/** Lets through exactly the push that the operator wrote down. */
export function requireCommand(commands: readonly RefUpdate[], allowed: PublishCommand | undefined): void {
  if (!allowed) throw new Refusal(403, "NotPublished", "the operator has not allowed a push for this task");
  const [only, ...more] = commands;
  const zero = "0".repeat(allowed.newId.length);
  const same =
    only && only.ref === allowed.ref && only.newId === allowed.newId && only.oldId === (allowed.oldId ?? zero);
  if (!same || more.length > 0) {
    const asked = commands.map(({ ref, newId }) => `${ref} to ${newId}`).join(", ");
    throw new Refusal(
      403,
      "WrongPush",
      `only ${allowed.ref} to ${allowed.newId} may be pushed; asked for: ${asked || "nothing"}`,
    );
  }
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

function readCommand(line: string): RefUpdate {
  const [command = ""] = line.split("\0");
  const match = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (refs\/[^\s]+)\n?$/.exec(command);
  if (!match?.[1] || !match[2] || !match[3]) {
    throw new Refusal(403, "MalformedPush", "only plain ref updates may be pushed, without push certificates");
  }
  return { oldId: match[1], newId: match[2], ref: match[3] };
}
