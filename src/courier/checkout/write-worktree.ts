import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BellhopError, errorCode } from "../../shared/errors.ts";
import { readBlobs, whole, type Blob, type TreeEntry } from "../git/objects.ts";
import type { GitOptions } from "../git/run.ts";
import { bytesOf, foldersOf, unsafePath, type RawPath } from "../raw-path.ts";

const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
/** Linux's limit for the target of a symbolic link. */
const maxTargetBytes = 4095;

/** A path of the commit that was not written to the workspace, and the reason. The import does not count it as deleted, and keeps it in the commit. */
export interface Refused {
  path: RawPath;
  why: string;
}

/**
 * Writes the files of a commit with the exact bytes of their blobs, without attributes and filters. Symbolic links are written last, so that no
 * file is written through one. Submodules become empty folders. Returns the unsafe paths, which are not written. Expects an empty folder and
 * umask 002.
 */
export async function writeWorktree(
  folder: string,
  tree: readonly TreeEntry[],
  options: GitOptions,
): Promise<Refused[]> {
  const refused: Refused[] = [];
  const safe = tree.filter((entry) => {
    const why = unsafePath(entry.path);
    if (why !== undefined) refused.push({ path: entry.path, why });
    return why === undefined;
  });
  const at = (path: string): Buffer => Buffer.concat([Buffer.from(`${folder}/`), bytesOf(path)]);
  const attempt = (entry: TreeEntry, write: () => void): void => {
    try {
      write();
    } catch (error) {
      refused.push({ path: entry.path, why: conflict(error) });
    }
  };

  makeFolders(safe, at);
  await eachBlob(safe.filter(isFile), options, async (entry, blob) => writeFile(at(entry.path), entry, blob, refused));
  await eachBlob(safe.filter(isLink), options, async (entry, blob) => {
    const target = await whole(blob);
    attempt(entry, () => symlinkSync(linkTarget(target), at(entry.path)));
  });
  return refused;
}

const isFile = (entry: TreeEntry): boolean => entry.mode === "100644" || entry.mode === "100755";
const isLink = (entry: TreeEntry): boolean => entry.mode === "120000";

function makeFolders(tree: readonly TreeEntry[], at: (path: string) => Buffer): void {
  const folders = new Set(
    tree.flatMap((entry) => [...foldersOf(entry.path), ...(entry.mode === "160000" ? [entry.path] : [])]),
  );
  for (const folder of [...folders].sort()) makeFolder(at(folder));
}

function makeFolder(path: Buffer): void {
  try {
    mkdirSync(path);
  } catch (error) {
    throw full(error);
  }
}

async function eachBlob(
  entries: readonly TreeEntry[],
  options: GitOptions,
  use: (entry: TreeEntry, blob: Blob) => Promise<void>,
): Promise<void> {
  if (entries.length === 0) return;
  let next = 0;
  for await (const blob of readBlobs(
    entries.map((entry) => entry.id),
    options,
  )) {
    const entry = entries[next++];
    if (entry !== undefined) await use(entry, blob);
  }
}

async function writeFile(path: Buffer, entry: TreeEntry, blob: Blob, refused: Refused[]): Promise<void> {
  const fd = create(path, entry, refused);
  try {
    for await (const chunk of blob.chunks()) if (fd !== undefined) writeAll(fd, chunk);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function create(path: Buffer, entry: TreeEntry, refused: Refused[]): number | undefined {
  try {
    return openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, entry.mode === "100755" ? 0o777 : 0o666);
  } catch (error) {
    refused.push({ path: entry.path, why: conflict(error) });
    return undefined;
  }
}

function writeAll(fd: number, chunk: Buffer): void {
  try {
    for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done);
  } catch (error) {
    throw full(error);
  }
}

function linkTarget(target: Buffer): Buffer {
  if (target.length === 0 || target.length > maxTargetBytes || target.includes(0)) {
    throw new BellhopError("LinkInvalid", "its link target is invalid");
  }
  return target;
}

function conflict(error: unknown): string {
  const code = errorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") throw full(error);
  if (code === "LinkInvalid") return "its link target is invalid";
  if (["EEXIST", "ENOTDIR", "EISDIR", "ELOOP"].includes(code ?? ""))
    return "another entry of the commit occupies its path";
  if (code === "ENAMETOOLONG") return "it is too long";
  throw error;
}

function full(error: unknown): unknown {
  const code = errorCode(error);
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  const message = "the repository does not fit into the workspace; raise sandbox.workspaceSize in the profile";
  return new BellhopError("WorkspaceFull", message, { cause: error });
}

const stored = z.array(z.object({ path: z.string(), why: z.string() }));

/** Records the paths that the checkout omitted, in the courier's own volume. */
export function saveRefused(folder: string, refused: readonly Refused[]): void {
  writeFileSync(join(folder, "refused.json"), JSON.stringify(refused));
}

/** Reads the paths that the checkout omitted. Throws if there was no checkout. */
export function loadRefused(folder: string): Refused[] {
  return stored.parse(JSON.parse(readFileSync(join(folder, "refused.json"), "utf8")));
}

/** The tree without the paths that the checkout omitted. */
export function without(tree: readonly TreeEntry[], refused: readonly Refused[]): TreeEntry[] {
  const left = new Set(refused.map(({ path }) => path));
  return tree.filter((entry) => !left.has(entry.path));
}
