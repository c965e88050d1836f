import type { Stats } from "node:fs";
import { BellhopError, errorCode } from "../../shared/errors.ts";
import { Folder } from "../folder.ts";
import { forPeople, isDotGit, joined, maxPathBytes, maxPathDepth, type RawPath } from "../raw-path.ts";
import type { BaseTree, IgnoreOracle } from "./base-tree.ts";

/** A file or symbolic link that may be part of the commit. It is opened through its folder, which stays open during the visit. */
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
  /** Called for a path that is neither ignored nor imported, with the reason. */
  skip(path: RawPath, why: string): void;
}

const maxEntries = 1_000_000;

/**
 * Visits every tracked path and every untracked path that the base does not ignore, folder by folder, without following links. Ignored folders
 * are not entered. Throws `WorkspaceUnreadable` if a path cannot be read or the workspace has more than a million entries.
 */
export async function walk(workspace: string, deps: WalkDeps): Promise<void> {
  let seen = 0;
  await inFolder(Folder.open(workspace), "", 0);

  async function inFolder(folder: Folder, path: RawPath, depth: number): Promise<void> {
    try {
      const entries = look(folder, path);
      seen += entries.length;
      if (seen > maxEntries) throw unreadable(path, `it has more than ${maxEntries} entries`);
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
    if (kind === "other") return deps.skip(path, "it is not a file, a folder or a link");
    const why = whySkipped(entry, deps.base);
    if (why !== undefined) return deps.skip(path, why);
    if (kind !== "folder") return deps.visit({ path, folder, name, kind });
    if (depth >= maxPathDepth || path.length > maxPathBytes) return deps.skip(path, "its path is too long or too deep");
    return inFolder(enter(folder, path, name), path, depth + 1);
  }
}

interface Entry {
  path: RawPath;
  name: string;
  kind: "file" | "link" | "folder" | "other";
}

function entryOf(folder: Folder, path: RawPath, name: string, deps: WalkDeps): Entry[] {
  // The `.git` of the agent's clone is expected. Any other may be an attack.
  if (path === ".git" || deps.base.submodules.has(path)) return [];
  if (isDotGit(name)) {
    deps.skip(path, "git could read it as a `.git` folder");
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

/** The reason to skip a path: importing it would remove a submodule or an omitted path from the commit. */
function whySkipped({ path, kind }: Entry, base: BaseTree): string | undefined {
  const folder = kind === "folder";
  if (base.refused.has(path) && !(folder && base.folders.has(path)))
    return "the checkout could not write this path, so the commit keeps its previous content";
  if (folder || !base.keptFolders.has(path)) return undefined;
  return "in the commit it is a folder with a submodule, or with a path that could not be checked out";
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

/** The error for a path that changed during the import: a process still writes, so the tree is not the finished work of the agent. */
export function changedMeanwhile(path: RawPath, cause?: unknown): BellhopError {
  return unreadable(path, "it changed while it was read", cause);
}

/** Calls `read`. If the system denies it, throws `WorkspaceUnreadable` with the path. */
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
