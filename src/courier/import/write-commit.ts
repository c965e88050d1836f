import { once } from "node:events";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { Mode } from "../git/objects.ts";
import { ended, git, startGit, type GitOptions, type GitProcess } from "../git/run.ts";
import { bytesOf, rawPath, type RawPath } from "../raw-path.ts";

/** The ref of the result in the courier's own repository. */
const resultRef = "refs/bellhop/result";

/** The change of one path relative to the base. `mark` identifies a blob that `ObjectWriter.blob` stored. */
export type Change = { path: RawPath; mode: Mode; mark: number } | { path: RawPath; deleted: true };

/** A commit to write. */
export interface NewCommit {
  parent?: string;
  author: { name: string; email: string };
  date: Date;
  message: string;
  changes: readonly Change[];
}

/** Writes objects into the courier's own repository without changing a byte: `git fast-import` uses no filters, attributes, index or work tree. */
export interface ObjectWriter {
  /** Stores `chunks`, exactly `size` bytes, as a blob and returns its mark. */
  blob(size: number, chunks: Iterable<Buffer>): Promise<number>;
  /** Writes the commit and returns its id. */
  commit(commit: NewCommit): Promise<string>;
  /** Ends without a commit. */
  abandon(): Promise<void>;
}

/** Creates a writer. Git starts with the first blob or commit. */
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
    // If git dies, there is no `drain` event, but `done` rejects with the reason.
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
  // Deletions come first, because a file may have become a folder.
  for (const change of commit.changes) if ("deleted" in change) yield bytesOf(`D ${quoted(change.path)}\n`);
  for (const change of commit.changes)
    if ("mark" in change) yield bytesOf(`M ${change.mode} :${change.mark} ${quoted(change.path)}\n`);
  yield "\n";
}

function identity(text: string): string {
  return text.replaceAll(/[<>\u0000-\u001f]/g, "").trim();
}

/** Quotes a path in C style, with octal escapes for every byte that is not plain ASCII. */
function quoted(path: RawPath): string {
  const escape = (char: string): string => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  return `"${path.replaceAll(/[^\x20-\x7e]|["\\]/g, escape)}"`;
}

/** The id of the empty tree, which is built into git. */
const emptyTree = {
  sha1: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  sha256: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
} as const;

/** The size of the patch between two commits in bytes, with binary content. The patch is counted while git prints it, and not stored. */
export async function patchBytes(parent: string | undefined, commit: string, own: GitOptions): Promise<number> {
  const args = [...diffTree, "-p", "--binary", "--no-ext-diff", "--no-textconv", before(parent, commit), commit];
  const child = startGit(args, own);
  child.stdin.on("error", () => {});
  child.stdin.end();
  let bytes = 0;
  child.stdout.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await ended(child, args);
  return bytes;
}

/** Every path that differs between two commits, including deleted paths. Read from the commit itself, so that the list is complete. */
export async function changedPaths(parent: string | undefined, commit: string, own: GitOptions): Promise<RawPath[]> {
  const out = await git([...diffTree, "--name-only", "-z", before(parent, commit), commit], own);
  return rawPath(out).split("\0").filter(Boolean);
}

const diffTree = ["diff-tree", "-r", "--no-renames"];

function before(parent: string | undefined, commit: string): string {
  return parent ?? emptyTree[commit.length === 64 ? "sha256" : "sha1"];
}

const maxBody = 4096;

/** The commit message: subject, the agent's summary as plain text, and our trailers as the last paragraph. */
export function commitMessage(commit: SandboxSpec["commit"], summary: string | undefined): string {
  const body = harmless(summary ?? "");
  const paragraphs = [commit.subject.trim(), body, commit.trailers.join("\n")];
  return `${paragraphs.filter(Boolean).join("\n\n")}\n`;
}

/** A zero-width space: people do not see it, and programs no longer recognise the pattern. */
const breaker = "\u200b";

/**
 * Makes an agent's summary safe for a commit message: removes control characters, and breaks every pattern on which a code host or tool acts:
 * trailers, mentions, issue references, closing keywords, CI skip markers.
 */
function harmless(summary: string): string {
  const text = summary
    .normalize("NFC")
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060-\u206f\ufeff]/g,
      (char) => (char === "\t" ? " " : ""),
    );
  return shortened(text)
    .split("\n")
    .map((line) => broken(line.trimEnd()))
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

function shortened(text: string): string {
  return text.length <= maxBody ? text : `${text.slice(0, maxBody).replace(/[\ud800-\udbff]$/, "")}…`;
}

const closing =
  /\b(close[sd]?|closing|fix(?:e[sd]|ing)?|resolve[sd]?|resolving|implement(?:s|ed|ing)?)(?=[\s:]+\S*\d)/gi;

function broken(line: string): string {
  return line
    .replaceAll(closing, (verb) => `${verb.slice(0, 1)}${breaker}${verb.slice(1)}`)
    .replace(/^(\s*[A-Za-z][A-Za-z0-9 -]{0,64}?)(\s*[:=#])/, `$1${breaker}$2`)
    .replaceAll(/@(?=[\w-])/g, `@${breaker}`)
    .replaceAll(/([#!])(?=\w)/g, `$1${breaker}`)
    .replaceAll(/\bGH-(?=\d)/gi, (prefix) => `${prefix}${breaker}`)
    .replaceAll(/(\[|\*\*\*)(?=\s*(?:skip|ci|no|actions|azurepipelines)\b|\s*no_ci)/gi, `$1${breaker}`);
}
