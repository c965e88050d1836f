import { git, tryGit } from "./run.ts";

/** The fields of a commit that REST answers and webhooks need. */
export interface CommitFacts {
  sha: string;
  tree: string;
  parents: string[];
  author: { name: string; email: string; date: string };
  committer: { name: string; email: string; date: string };
  message: string;
}

/** One file of a comparison. */
export interface FileChange {
  filename: string;
  status: string;
  additions: number;
  deletions: number;
  patch: string | undefined;
  sha: string;
}

const format = ["%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"].join("%x00");

/** The commits of a range (`git log` arguments), newest first. */
export async function logCommits(dir: string, range: string[]): Promise<CommitFacts[]> {
  const { code, stdout } = await tryGit(dir, ["log", "-z", `--format=${format}%x01`, ...range, "--"]);
  if (code !== 0) return [];
  return stdout
    .toString()
    .split("\u0001")
    .map((entry) => entry.replace(/^\0/, ""))
    .filter((entry) => entry !== "")
    .map(parseCommit);
}

/** One commit, or undefined if it does not exist. */
export async function readCommit(dir: string, revision: string): Promise<CommitFacts | undefined> {
  return (await logCommits(dir, ["-1", revision]))[0];
}

/** The differences between the merge base of two commits and the second commit. */
export async function changedFiles(dir: string, base: string, head: string): Promise<FileChange[]> {
  const from = await mergeBase(dir, base, head);
  if (from === undefined) return [];
  const plain = ["--no-renames", "--no-color", "--no-ext-diff", from, head];
  const raw = (await git(dir, ["diff", "--raw", "-z", "--no-abbrev", ...plain])).split("\0");
  const numbers = (await git(dir, ["diff", "--numstat", "-z", ...plain])).split("\0");
  const patches = (await git(dir, ["diff", ...plain])).split(/^diff --git /m).slice(1);
  const changes: FileChange[] = [];
  // All three outputs list the same files in the same order.
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const facts = { raw: raw[at] ?? "", numbers: numbers[at / 2] ?? "", patch: patches[at / 2] ?? "" };
    changes.push(describeChange(raw[at + 1] ?? "", facts));
  }
  return changes;
}

/** The paths that a commit adds, removes and changes compared with its first parent. */
export async function touchedPaths(
  dir: string,
  sha: string,
): Promise<Record<"added" | "removed" | "modified", string[]>> {
  const out = await git(dir, [
    "diff-tree",
    "--root",
    "--no-commit-id",
    "--no-renames",
    "-r",
    "-z",
    "--name-status",
    sha,
  ]);
  const fields = out.split("\0");
  const paths = { added: [] as string[], removed: [] as string[], modified: [] as string[] };
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const list = { A: paths.added, D: paths.removed }[fields[at] ?? ""] ?? paths.modified;
    list.push(fields[at + 1] ?? "");
  }
  return paths;
}

/** The best common ancestor, or undefined. */
export async function mergeBase(dir: string, a: string, b: string): Promise<string | undefined> {
  const { code, stdout } = await tryGit(dir, ["merge-base", a, b]);
  return code === 0 ? stdout.toString().trim() : undefined;
}

/** How many commits `head` has that `base` lacks (ahead), and the other way round (behind). */
export async function distance(dir: string, base: string, head: string): Promise<{ ahead: number; behind: number }> {
  const out = await git(dir, ["rev-list", "--left-right", "--count", `${base}...${head}`]);
  const [behind = "0", ahead = "0"] = out.split("\t");
  return { ahead: Number(ahead), behind: Number(behind) };
}

/** The tree of a merge of two commits, or undefined if they conflict. */
export async function mergeTree(dir: string, ours: string, theirs: string): Promise<string | undefined> {
  const { code, stdout } = await tryGit(dir, ["merge-tree", "--write-tree", ours, theirs]);
  return code === 0 ? stdout.toString().split("\n")[0] : undefined;
}

function describeChange(filename: string, facts: { raw: string; numbers: string; patch: string }): FileChange {
  const [, , , sha = "", letter = ""] = facts.raw.split(" ");
  const [additions = "0", deletions = "0"] = facts.numbers.split("\t");
  const hunks = facts.patch.indexOf("\n@@");
  return {
    filename,
    status: { A: "added", D: "removed" }[letter] ?? "modified",
    additions: Number(additions) || 0,
    deletions: Number(deletions) || 0,
    patch: hunks === -1 ? undefined : facts.patch.slice(hunks + 1).replace(/\n$/, ""),
    sha,
  };
}

function parseCommit(entry: string): CommitFacts {
  const [sha = "", tree = "", parents = "", an = "", ae = "", ad = "", cn = "", ce = "", cd = "", ...message] =
    entry.split("\0");
  return {
    sha,
    tree,
    parents: parents === "" ? [] : parents.split(" "),
    author: { name: an, email: ae, date: utc(ad) },
    committer: { name: cn, email: ce, date: utc(cd) },
    message: message.join("\0").trimEnd(),
  };
}

function utc(date: string): string {
  return `${new Date(date).toISOString().slice(0, 19)}Z`;
}
