import type { Stats } from "node:fs";
import { BellhopError, errorCode } from "../../shared/errors.ts";
import { Folder } from "../folder.ts";
import { forPeople, isDotGit, joined, maxPathBytes, maxPathDepth, type RawPath } from "../raw-path.ts";
import type { BaseTree, IgnoreOracle } from "./base-tree.ts";

/** A file or link that may belong into the commit; reached through its folder, which stays open during the visit. */
export interface Visited {
  path: RawPath;
  folder: Folder;
  name: string;
  kind: "file" | "link";
}

/** Dependencies of the walk. */
export interface WalkDeps {
  base: BaseTree;
  ignore: IgnoreOracle;
  visit(entry: Visited): Promise<void>;
  /** A path that is not imported though nothing ignores it, and why. */
  skip(path: RawPath, why: string): void;
}

const maxEntries = 1_000_000;

/**
 * Visits every tracked path and every untracked one that the base does not ignore, folder by folder, never following a link. Ignored
 * folders are not entered. Throws `WorkspaceUnreadable` for what cannot be read, or for more than a million entries.
 */
export async function walk(workspace: string, deps: WalkDeps): Promise<void> {
  let seen = 0;
  await inFolder(Folder.open(workspace), "", 0);

  async function inFolder(folder: Folder, path: RawPath, depth: number): Promise<void> {
    try {
      const entries = look(folder, path);
      seen += entries.length;
      if (seen > maxEntries) throw unreadable(path, `it holds more than ${maxEntries} files`);
      for (const entry of await wanted(entries)) await one(folder, entry, depth);
    } finally {
      folder.close();
    }
  }

  function look(folder: Folder, path: RawPath): Entry[] {
    const names = readable(path, () => folder.names());
    return names.flatMap((name) => entryOf(folder, joined(path, name), name, deps));
  }

  async function wanted(entries: Entry[]): Promise<Entry[]> {
    const asked = entries.filter((entry) => !isTracked(entry, deps.base));
    const answers = await deps.ignore.ignored(asked.map(({ path, kind }) => ({ path, folder: kind === "folder" })));
    const ignored = new Set(asked.filter((_, index) => answers[index]).map(({ path }) => path));
    return entries.filter(({ path }) => !ignored.has(path));
  }

  async function one(folder: Folder, entry: Entry, depth: number): Promise<void> {
    const { path, name, kind } = entry;
    if (kind === "other") return deps.skip(path, "it is neither a file, a folder nor a link");
    const why = inTheWay(entry, deps.base);
    if (why !== undefined) return deps.skip(path, why);
    if (kind !== "folder") return deps.visit({ path, folder, name, kind });
    if (depth >= maxPathDepth || path.length > maxPathBytes) return deps.skip(path, "it lies too deep");
    return inFolder(enter(folder, path, name), path, depth + 1);
  }
}

interface Entry {
  path: RawPath;
  name: string;
  kind: "file" | "link" | "folder" | "other";
}

function entryOf(folder: Folder, path: RawPath, name: string, deps: WalkDeps): Entry[] {
  // The clone's own `.git` is expected; any other may be a trap.
  if (path === ".git" || deps.base.links.has(path)) return [];
  if (isDotGit(name)) {
    deps.skip(path, "git would take it for its own folder");
    return [];
  }
  const stats = readable(path, () => folder.look(name));
  return stats === undefined ? [] : [{ path, name, kind: kindOf(stats) }];
}

function kindOf(stats: Stats): Entry["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  return stats.isSymbolicLink() ? "link" : "other";
}

/** Why a path cannot be taken without taking something else out of the commit. */
function inTheWay({ path, kind }: Entry, base: BaseTree): string | undefined {
  const folder = kind === "folder";
  if (base.refused.has(path) && !(folder && base.folders.has(path))) return "what the commit has in its place stays";
  if (folder || !base.carriers.has(path)) return undefined;
  return "a link to another repository, or what could not be checked out, lies in it";
}

function isTracked({ path, kind }: Entry, base: BaseTree): boolean {
  return kind === "folder" ? base.folders.has(path) : base.files.has(path);
}

function enter(folder: Folder, path: RawPath, name: string): Folder {
  try {
    return readable(path, () => folder.enter(name));
  } catch (error) {
    if (["ELOOP", "ENOTDIR", "ENOENT"].includes(errorCode(error) ?? "")) throw changedMeanwhile(path, error);
    throw error;
  }
}

/** Something else is in a path's place than a moment ago: someone still writes, so the tree is nobody's work. */
export function changedMeanwhile(path: RawPath, cause?: unknown): BellhopError {
  return unreadable(path, "it changed while it was read", cause);
}

/** Reads, and says which path it was that could not be read. */
export function readable<T>(path: RawPath, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (["EACCES", "EPERM", "EIO"].includes(errorCode(error) ?? ""))
      throw unreadable(path, "its permissions deny it", error);
    throw error;
  }
}

function unreadable(path: RawPath, why: string, cause?: unknown): BellhopError {
  const what = path === "" ? "the workspace" : forPeople(path);
  const message = `${what} could not be read: ${why}. Nothing was published.`;
  return new BellhopError("WorkspaceUnreadable", message, { cause });
}
