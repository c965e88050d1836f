import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { BellhopError, errorCode } from "../../shared/errors.ts";
import { without, type Refused } from "../checkout/write-worktree.ts";
import { listTree, readBlobs, whole, type TreeEntry } from "../git/objects.ts";
import { ended, startGit, type GitOptions } from "../git/run.ts";
import { bytesOf, foldersOf, type RawPath } from "../raw-path.ts";

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

/** Answers whether untracked paths are ignored, by the base's `.gitignore` files alone. */
export interface IgnoreOracle {
  /** One answer a path, in order. */
  ignored(paths: readonly { path: RawPath; folder: boolean }[]): Promise<boolean[]>;
  close(): Promise<void>;
}

/**
 * Lets git itself decide (`git check-ignore`), in a scratch work tree of the courier's own that holds nothing but the base's `.gitignore`
 * files and the folders that are asked about (git checks the file type for `name/` patterns). The agent's files, its `.git` and its configuration
 * are not there to be read.
 */
export async function ignoreOracle(scratch: string, base: BaseTree, own: GitOptions): Promise<IgnoreOracle> {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  await writeIgnoreFiles(scratch, base, own);
  return ask(scratch, own);
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

function ask(scratch: string, own: GitOptions): IgnoreOracle {
  const args = ["check-ignore", "--no-index", "--stdin", "-z", "--verbose", "--non-matching"];
  const child = startGit(args, { ...own, workTree: scratch });
  // Exit 1 only says that no path was ignored.
  const done = ended(child, args).catch(() => {});
  const waiting: ((ignored: boolean) => void)[] = [];
  const gone = new Promise<never>((_, reject) => {
    child.on("close", () => reject(new BellhopError("GitFailed", "git check-ignore ended before it had answered")));
  });
  gone.catch(() => {});
  child.stdin.on("error", () => {});
  child.stdout.on("data", answers(waiting));

  return {
    async ignored(paths) {
      if (paths.length === 0) return [];
      for (const { path, folder } of paths) if (folder) makeFolder(scratch, path);
      const answered = Promise.all(paths.map(() => new Promise<boolean>((answer) => waiting.push(answer))));
      // `./` keeps a name such as `:(glob)x` from being read as pathspec magic.
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

/** Parses `source NUL line NUL pattern NUL path NUL`; a negated pattern is shown with its `!`, no match as empty fields. */
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

/** A folder where the base has an ignore file of that name cannot be made; git then takes it for a file, which is near enough. */
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
