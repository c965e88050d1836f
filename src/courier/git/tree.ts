import { git, type GitOptions } from "./run.ts";
import { rawPath, type RawPath } from "../raw-path.ts";

/** Modes git knows, without the historic ones. */
export type Mode = "100644" | "100755" | "120000" | "160000";

/** One path of a commit's tree. */
export interface TreeEntry {
  path: RawPath;
  mode: Mode;
  id: string;
  /** Bytes; of a link to another repository, none. */
  size: number;
}

/** Every path of a commit, links to other repositories included, folders not. */
export async function listTree(commit: string, options: GitOptions): Promise<TreeEntry[]> {
  const out = rawPath(await git(["ls-tree", "-r", "-l", "-z", "--full-tree", commit], options));
  return out.split("\0").filter(Boolean).map(parseEntry);
}

function parseEntry(line: string): TreeEntry {
  const tab = line.indexOf("\t");
  const [mode = "", , id = "", size = ""] = line.slice(0, tab).split(/ +/);
  return { path: line.slice(tab + 1), mode: modern(mode), id, size: size === "-" ? 0 : Number(size) };
}

/** Old commits have 100664 and the like. */
function modern(mode: string): Mode {
  if (mode === "120000" || mode === "160000") return mode;
  return (Number.parseInt(mode, 8) & 0o100) === 0 ? "100644" : "100755";
}
