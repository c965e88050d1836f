import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { BellhopError } from "../../shared/errors.ts";
import type { OpenFile } from "../folder.ts";
import type { Mode, TreeEntry } from "../git/objects.ts";
import { forPeople } from "../raw-path.ts";
import { readable, type Visited } from "./walk.ts";

/** The current content of a path. A process may still write to the file, so two reads can differ; `chunks` gives exactly `size` bytes or throws. */
export interface Content {
  mode: Mode;
  size: number;
  /** Reads from the start. */
  chunks(): Iterable<Buffer>;
  close(): void;
}

/** Opens the content of a path; undefined if the entry has disappeared or has another type now. */
export function contentOf(entry: Visited): Content | undefined {
  if (entry.kind === "link") return linkContent(entry);
  const file = readable(entry.path, () => entry.folder.file(entry.name));
  return file === undefined ? undefined : fileContent(entry, file);
}

function linkContent({ folder, name, path }: Visited): Content | undefined {
  if (!folder.look(name)?.isSymbolicLink()) return undefined;
  const target = readable(path, () => folder.link(name));
  return { mode: "120000", size: target.length, chunks: () => [target], close: () => {} };
}

const executable = 0o100;

function fileContent({ path }: Visited, { fd, stats }: OpenFile): Content {
  return {
    mode: (stats.mode & executable) === 0 ? "100644" : "100755",
    size: stats.size,
    chunks: () => readAll(fd, stats.size, forPeople(path)),
    close: () => closeSync(fd),
  };
}

const chunkBytes = 1024 * 1024;

function* readAll(fd: number, size: number, name: string): Generator<Buffer> {
  for (let at = 0; at < size;) {
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size - at));
    const read = readSync(fd, buffer, 0, buffer.length, at);
    if (read === 0) {
      throw new BellhopError("WorkspaceUnreadable", `${name} became shorter while it was read. Nothing was published.`);
    }
    yield buffer.subarray(0, read);
    at += read;
  }
}

/** Yields to the event loop after a certain amount of work, counted in bytes, so that timers and signals are handled. */
export type YieldAfter = (bytes: number) => Promise<void>;

const yieldEveryBytes = 8 * 1024 * 1024;
/** Opening a file takes about as long as reading this number of bytes. */
const openingBytes = 64 * 1024;

/** Creates the counter of one import. */
export function yielder(): YieldAfter {
  let sinceBytes = 0;
  return async (bytes) => {
    sinceBytes += bytes;
    if (sinceBytes < yieldEveryBytes) return;
    sinceBytes = 0;
    await setImmediate();
  };
}

/** Whether the mode or the bytes of a path differ from the base. A file of another size is not read, because a sparse file may be huge. */
export async function differs(
  content: Content,
  tracked: TreeEntry | undefined,
  yieldAfter: YieldAfter,
): Promise<boolean> {
  await yieldAfter(openingBytes);
  if (tracked === undefined || tracked.mode !== content.mode || tracked.size !== content.size) return true;
  const hash = createHash(tracked.id.length === 64 ? "sha256" : "sha1").update(`blob ${content.size}\0`);
  for (const chunk of content.chunks()) {
    hash.update(chunk);
    await yieldAfter(chunk.length);
  }
  return hash.digest("hex") !== tracked.id;
}
