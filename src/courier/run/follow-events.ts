import { closeSync, fstatSync, readSync } from "node:fs";
import type { AgentEvent } from "../../sandbox/protocol/channel.ts";
import { outFiles } from "../../sandbox/protocol/layout.ts";
import type { AgentReader } from "../../sandbox/agents/agent.ts";
import type { Folder } from "../folder.ts";
import { unlessClosed } from "./agent-files.ts";

/** An event, with the end of its line in bytes from the start of the file, and its own size. */
export interface FollowedEvent {
  event: AgentEvent;
  endBytes: number;
  sizeBytes: number;
}

/** Reads the agent's events from a position in the file. */
export interface EventFollower {
  /** The events in complete lines that were written since the last call. */
  read(): FollowedEvent[];
  /** Like `read`, but also reads a last line without a line end. Call it after the agent's end. */
  readRest(): FollowedEvent[];
  /** Number of lines that were no events, or too long to be read as events; and whether the file exceeds the maximum size. */
  readonly unread: { malformed: number; tooLong: number; capped: boolean };
}

/** The part of `events.jsonl` after this size is not read. */
export const maxFileBytes = 8 * 1024 * 1024;
/** Lines up to this size are read whole, whatever the order of their fields. Texts are cut to the protocol's limits afterwards. */
const maxLineBytes = 1024 * 1024;
/** The kept beginning of a longer line. */
const keptBytes = 128 * 1024;
const chunkBytes = 256 * 1024;

/**
 * Opens `events.jsonl` as soon as it is a readable regular file with one hard link, without following a symbolic link. The file stays open, so a
 * file with which the agent replaces it later is not read. Nothing is left out silently: a line that is too long is read as far as possible, and a
 * message names what could not be read.
 */
export function followEvents(out: Folder, reader: AgentReader, fromBytes: number): EventFollower {
  const unread = { malformed: 0, tooLong: 0, capped: false };
  const buffer = Buffer.alloc(chunkBytes);
  let fd: number | undefined;
  let position = fromBytes;
  let line = Buffer.alloc(0);
  let lineBytes = 0;

  function read(): FollowedEvent[] {
    fd ??= openOwn(out);
    const events: FollowedEvent[] = [];
    const wasCapped = unread.capped;
    for (let chunk = next(); chunk.length > 0; chunk = next()) takeChunk(chunk, events);
    return unread.capped && !wasCapped ? [...events, followed(notRead(capNote), position)] : events;
  }

  function next(): Buffer {
    if (fd === undefined) return Buffer.alloc(0);
    const left = maxFileBytes - position;
    if (left <= 0) unread.capped ||= fstatSync(fd).size > maxFileBytes;
    const bytes = readSync(fd, buffer, 0, Math.max(0, Math.min(buffer.length, left)), position);
    return buffer.subarray(0, bytes);
  }

  function takeChunk(chunk: Buffer, events: FollowedEvent[]): void {
    let at = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, at)) {
      append(chunk.subarray(at, end));
      at = end + 1;
      takeLine(position + at, events);
    }
    append(chunk.subarray(at));
    position += chunk.length;
  }

  function append(part: Buffer): void {
    lineBytes += part.length;
    const kept = lineBytes > maxLineBytes ? keptBytes : maxLineBytes;
    line = Buffer.concat([line, part]).subarray(0, kept);
  }

  function takeLine(endBytes: number, events: FollowedEvent[]): void {
    const event = readLine(line.toString("utf8"));
    if (event !== undefined) events.push(followed(event, endBytes));
    line = Buffer.alloc(0);
    lineBytes = 0;
  }

  function readLine(text: string): AgentEvent | undefined {
    if (text.trim() === "") return undefined;
    const isCut = lineBytes > maxLineBytes;
    const event = isCut ? reader.readCut(text) : reader.read(text);
    if (event !== undefined) return event;
    if (!isCut) unread.malformed++;
    else unread.tooLong++;
    return isCut ? notRead(`A line of ${lineBytes} bytes in ${outFiles.events} is too long`) : undefined;
  }

  function readRest(): FollowedEvent[] {
    const events = read();
    if (line.length > 0) takeLine(position, events);
    return events;
  }

  return { read, readRest, unread };
}

/** Why a result of the agent may be missing or out of date; undefined if everything was read. */
export function describeUnread({ capped, tooLong }: EventFollower["unread"]): string | undefined {
  if (capped) return `${capNote}, so Bellhop did not read the rest`;
  return tooLong === 0 ? undefined : `${tooLong} of the agent's lines in ${outFiles.events} were too long to be read`;
}

const capNote = `The agent wrote more than ${maxFileBytes / 1024 / 1024} MiB to ${outFiles.events}`;

function notRead(what: string): AgentEvent {
  return { type: "message", text: `[Bellhop] ${what}; it was not read.` };
}

function followed(event: AgentEvent, endBytes: number): FollowedEvent {
  return { event, endBytes, sizeBytes: Buffer.byteLength(JSON.stringify(event)) };
}

function openOwn(out: Folder): number | undefined {
  const file = unlessClosed(() => out.file(outFiles.events));
  // With a second hard link it could be another file on the disk of the volume.
  if (file === undefined || file.stats.nlink === 1) return file?.fd;
  closeSync(file.fd);
  return undefined;
}
