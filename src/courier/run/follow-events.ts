import { closeSync, fstatSync, readSync } from "node:fs";
import type { AgentEvent } from "../../sandbox/protocol/channel.ts";
import { outFiles } from "../../sandbox/protocol/layout.ts";
import type { AgentReader } from "../../sandbox/agents/agent.ts";
import type { Folder } from "../folder.ts";
import { unlessClosed } from "./agent-files.ts";

/** An event, with the end of its line in bytes from the start of the file. */
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
  /** Number of lines that were no events or too long, and whether the file exceeds the maximum size. */
  readonly unread: { malformed: number; tooLong: number; capped: boolean };
}

/** The part of the file after this size is not read. */
const maxFileBytes = 8 * 1024 * 1024;
const maxLineBytes = 64 * 1024;
const chunkBytes = 256 * 1024;

/**
 * Opens `events.jsonl` as soon as it is a readable regular file with one hard link, without following a symbolic link. The file stays open, so a
 * file with which the agent replaces it later is not read.
 */
export function followEvents(out: Folder, reader: AgentReader, fromBytes: number): EventFollower {
  const unread = { malformed: 0, tooLong: 0, capped: false };
  const buffer = Buffer.alloc(chunkBytes);
  let fd: number | undefined;
  let position = fromBytes;
  let line = Buffer.alloc(0);
  let lineTooLong = false;

  function read(): FollowedEvent[] {
    fd ??= openOwn(out);
    const events: FollowedEvent[] = [];
    for (let chunk = next(); chunk.length > 0; chunk = next()) takeChunk(chunk, events);
    return events;
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
    lineTooLong ||= line.length + part.length > maxLineBytes;
    line = lineTooLong ? Buffer.alloc(0) : Buffer.concat([line, part]);
  }

  function takeLine(endBytes: number, events: FollowedEvent[]): void {
    const text = line.toString("utf8");
    const event = lineTooLong || text.trim() === "" ? undefined : reader.read(text);
    if (lineTooLong) unread.tooLong++;
    else if (event === undefined && text.trim() !== "") unread.malformed++;
    if (event !== undefined) events.push({ event, endBytes, sizeBytes: line.length });
    line = Buffer.alloc(0);
    lineTooLong = false;
  }

  return {
    read,
    readRest() {
      const events = read();
      if (line.length > 0 || lineTooLong) takeLine(position, events);
      return events;
    },
    unread,
  };
}

function openOwn(out: Folder): number | undefined {
  const file = unlessClosed(() => out.file(outFiles.events));
  // With a second hard link it could be another file on the disk of the volume.
  if (file === undefined || file.stats.nlink === 1) return file?.fd;
  closeSync(file.fd);
  return undefined;
}
