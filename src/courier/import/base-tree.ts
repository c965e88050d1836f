import type { GitOptions } from "../git/run.ts";
import { listTree, type TreeEntry } from "../git/tree.ts";
import { type Refused, without } from "../checkout/refused.ts";
import { foldersOf, type RawPath } from "../raw-path.ts";

/** The tree that the work started from, ready to be asked. */
export interface BaseTree {
  /** Files and links that the checkout wrote. */
  files: ReadonlyMap<RawPath, TreeEntry>;
  /** Links to other repositories; carried over whatever became of their folder. */
  links: ReadonlySet<RawPath>;
  /** Folders that hold at least one tracked path. */
  folders: ReadonlySet<RawPath>;
  /** Paths that the checkout refused to write; carried over like links. */
  refused: ReadonlySet<RawPath>;
  /** Folders that hold what is carried over: anything else in their place would take it out of the commit. */
  carriers: ReadonlySet<RawPath>;
}

/** Reads the base; without a commit (an empty repository) it is empty. */
export async function baseTree(
  commit: string | undefined,
  refused: readonly Refused[],
  own: GitOptions,
): Promise<BaseTree> {
  const safe = commit === undefined ? [] : without(await listTree(commit, own), refused);
  const files = safe.filter((entry) => entry.mode !== "160000");
  const links = safe.filter((entry) => entry.mode === "160000");
  return {
    files: new Map(files.map((entry) => [entry.path, entry])),
    links: new Set(links.map((entry) => entry.path)),
    folders: new Set(safe.flatMap((entry) => foldersOf(entry.path))),
    refused: new Set(refused.map(({ path }) => path)),
    carriers: new Set([...links, ...refused].flatMap(({ path }) => foldersOf(path))),
  };
}
