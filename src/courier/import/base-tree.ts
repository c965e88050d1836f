import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { BellhopError, errorCode } from "../../shared/errors.ts";
import { without, type Refused } from "../checkout/write-worktree.ts";
import { listTree, readBlobs, whole, type TreeEntry } from "../git/objects.ts";
import { ended, startGit, type GitOptions } from "../git/run.ts";
import { bytesOf, foldersOf, type RawPath } from "../raw-path.ts";

/** The tree of the commit that the agent started from, indexed by path. */
export interface BaseTree {
  /** Files and symbolic links that the checkout wrote. */
  files: ReadonlyMap<RawPath, TreeEntry>;
  /** Submodules. The import keeps them in the commit, whatever the agent did with their folders. */
  submodules: ReadonlySet<RawPath>;
  /** Folders that hold at least one tracked path. */
  folders: ReadonlySet<RawPath>;
  /** Paths that the checkout refused to write. The import keeps them in the commit too. */
  refused: ReadonlySet<RawPath>;
  /** Folders that contain a kept path. A file in place of such a folder would remove the path from the commit. */
  keptFolders: ReadonlySet<RawPath>;
}

/** Reads the base tree. Without a commit (an empty repository) it is empty. */
export async function baseTree(
  commit: string | undefined,
  refused: readonly Refused[],
  own: GitOptions,
): Promise<BaseTree> {
  const safe = commit === undefined ? [] : without(await listTree(commit, own), refused);
  const files = safe.filter((entry) => entry.mode !== "160000");
  const submodules = safe.filter((entry) => entry.mode === "160000");
  return {
    files: new Map(files.map((entry) => [entry.path, entry])),
    submodules: new Set(submodules.map((entry) => entry.path)),
    folders: new Set(safe.flatMap((entry) => foldersOf(entry.path))),
    refused: new Set(refused.map(({ path }) => path)),
    keptFolders: new Set([...submodules, ...refused].flatMap(({ path }) => foldersOf(path))),
  };
}

/** Decides whether untracked paths are ignored. Only the base's `.gitignore` files count. */
export interface IgnoreOracle {
  /** Whether each path is ignored, in the order of the paths. */
  ignored(paths: readonly { path: RawPath; folder: boolean }[]): Promise<boolean[]>;
  close(): Promise<void>;
}

/**
 * Asks git (`git check-ignore`), in a scratch work tree of the courier that contains only the base's `.gitignore` files and the folders in
 * question (for patterns such as `name/`, git checks that the path is a folder). So git reads neither the agent's files nor its `.git` or
 * configuration.
 */
export async function ignoreOracle(scratch: string, base: BaseTree, own: GitOptions): Promise<IgnoreOracle> {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  await writeIgnoreFiles(scratch, base, own);
  return startOracle(scratch, own);
}

async function writeIgnoreFiles(scratch: string, base: BaseTree, own: GitOptions): Promise<void> {
  const entries = [...base.files.values()].filter((entry) => isIgnoreFile(entry.path) && entry.mode !== "120000");
  let next = 0;
  for await (const blob of readBlobs(
    entries.map((entry) => entry.id),
    own,
  )) {
    const content = await whole(blob);
    const entry = entries[next++];
    if (entry === undefined) continue;
    const folder = foldersOf(entry.path).at(-1);
    if (folder !== undefined) makeFolder(scratch, folder);
    writeFileSync(inside(scratch, entry.path), content);
  }
}

const isIgnoreFile = (path: RawPath): boolean => path === ".gitignore" || path.endsWith("/.gitignore");

function startOracle(scratch: string, own: GitOptions): IgnoreOracle {
  const args = ["check-ignore", "--no-index", "--stdin", "-z", "--verbose", "--non-matching"];
  const child = startGit(args, { ...own, workTree: scratch });
  // Exit code 1 only means that no path is ignored.
  const done = ended(child, args).catch(() => {});
  const waiting: ((ignored: boolean) => void)[] = [];
  const gone = new Promise<never>((_, reject) => {
    child.on("close", () => reject(new BellhopError("GitFailed", "git check-ignore ended before its last answer")));
  });
  gone.catch(() => {});
  child.stdin.on("error", () => {});
  child.stdout.on("data", answers(waiting));

  return {
    async ignored(paths) {
      if (paths.length === 0) return [];
      for (const { path, folder } of paths) if (folder) makeFolder(scratch, path);
      const answered = Promise.all(paths.map(() => new Promise<boolean>((answer) => waiting.push(answer))));
      // With `./`, git does not read a name such as `:(glob)x` as pathspec magic.
      child.stdin.write(Buffer.concat(paths.map(({ path }) => bytesOf(`./${path}\0`))));
      return Promise.race([answered, gone]);
    },
    async close() {
      child.stdin.end();
      await done;
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

const fieldsPerAnswer = 4;

/** Parses `source NUL line NUL pattern NUL path NUL`. A negated pattern starts with `!`; without a match the first three fields are empty. */
function answers(waiting: ((ignored: boolean) => void)[]): (chunk: Buffer) => void {
  let rest = "";
  let fields: string[] = [];
  return (chunk) => {
    const parts = (rest + chunk.toString("latin1")).split("\0");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      fields.push(part);
      if (fields.length < fieldsPerAnswer) continue;
      const [source, , pattern = ""] = fields;
      fields = [];
      waiting.shift()?.(source !== "" && !pattern.startsWith("!"));
    }
  };
}

/** Creates a folder. Without effect if the base has an ignore file at that path: git then treats the path as a file, which is accurate enough. */
function makeFolder(scratch: string, path: RawPath): void {
  try {
    mkdirSync(inside(scratch, path), { recursive: true });
  } catch (error) {
    if (!["EEXIST", "ENOTDIR"].includes(errorCode(error) ?? "")) throw error;
  }
}

function inside(scratch: string, path: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`${scratch}/`), bytesOf(path)]);
}
