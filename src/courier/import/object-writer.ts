import { once } from "node:events";
import { ended, git, startGit, type GitOptions, type GitProcess } from "../git/run.ts";
import { bytesOf, type RawPath } from "../raw-path.ts";
import type { Mode } from "../git/tree.ts";

/** The ref in the courier's own repository that a result is kept under. */
export const resultRef = "refs/bellhop/result";

/** A change of one path against the base. */
export type Change = { path: RawPath; mode: Mode; mark: number } | { path: RawPath; deleted: true };

/** A commit to write. */
export interface NewCommit {
  parent?: string;
  author: { name: string; email: string };
  date: Date;
  message: string;
  changes: readonly Change[];
}

/** Writes objects into the courier's own repository, byte for byte: `git fast-import` knows no filters, attributes, index or work tree. */
export interface ObjectWriter {
  /** Stores exactly `size` bytes of `chunks` as a blob; answers its mark. */
  blob(size: number, chunks: Iterable<Buffer>): Promise<number>;
  /** Writes the commit and answers its id. */
  commit(commit: NewCommit): Promise<string>;
  /** Ends without a commit. */
  abandon(): Promise<void>;
}

/** Starts on the first blob or commit. */
export function objectWriter(own: GitOptions): ObjectWriter {
  const args = ["fast-import", "--quiet", "--force", "--done", "--date-format=raw"];
  let running: { child: GitProcess; done: Promise<void> } | undefined;
  let marks = 0;

  const start = (): NonNullable<typeof running> => {
    if (running) return running;
    const child = startGit(args, own);
    child.stdin.on("error", () => {});
    child.stdout.resume();
    const done = ended(child, args);
    done.catch(() => {});
    return (running = { child, done });
  };
  const write = async (data: string | Buffer): Promise<void> => {
    const { child, done } = start();
    if (child.stdin.destroyed) return done;
    // A git that dies does not drain; its end carries the reason.
    if (!child.stdin.write(data)) await Promise.race([once(child.stdin, "drain"), done]);
  };
  const finish = async (): Promise<void> => {
    const { child, done } = start();
    child.stdin.end("done\n");
    await done;
  };

  return {
    async blob(size, chunks) {
      const mark = ++marks;
      await write(`blob\nmark :${mark}\ndata ${size}\n`);
      for (const chunk of chunks) await write(chunk);
      await write("\n");
      return mark;
    },
    async commit(commit) {
      for (const part of encode(commit)) await write(part);
      await finish();
      return (await git(["rev-parse", "--verify", resultRef], own)).toString("utf8").trim();
    },
    async abandon() {
      if (running) await finish();
    },
  };
}

function* encode(commit: NewCommit): Generator<string | Buffer> {
  const { name, email } = commit.author;
  const seconds = Math.floor(commit.date.getTime() / 1000);
  const message = Buffer.from(commit.message);
  yield `commit ${resultRef}\ncommitter ${identity(name)} <${identity(email)}> ${seconds} +0000\n`;
  yield `data ${message.length}\n`;
  yield message;
  yield "\n";
  yield commit.parent === undefined ? "" : `from ${commit.parent}\n`;
  // Deletions first: a file may have become a folder.
  for (const change of commit.changes) if ("deleted" in change) yield bytesOf(`D ${quoted(change.path)}\n`);
  for (const change of commit.changes)
    if ("mark" in change) yield bytesOf(`M ${change.mode} :${change.mark} ${quoted(change.path)}\n`);
  yield "\n";
}

function identity(text: string): string {
  return text.replaceAll(/[<>\u0000-\u001f]/g, "").trim();
}

/** C-style, octal for everything that is not plain, so that any byte is allowed. */
function quoted(path: RawPath): string {
  const escape = (char: string): string => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  return `"${path.replaceAll(/[^\x20-\x7e]|["\\]/g, escape)}"`;
}
