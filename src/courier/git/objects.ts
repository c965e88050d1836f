import { BellhopError } from "../../shared/errors.ts";
import { rawPath, type RawPath } from "../raw-path.ts";
import { ended, git, startGit, type GitOptions, type GitProcess } from "./run.ts";

/** The file modes that git writes today. */
export type Mode = "100644" | "100755" | "120000" | "160000";

/** One path of a commit's tree. */
export interface TreeEntry {
  path: RawPath;
  mode: Mode;
  id: string;
  /** In bytes; 0 for a submodule. */
  size: number;
}

/** Lists every path of a commit: files, symbolic links and submodules, but not folders. */
export async function listTree(commit: string, options: GitOptions): Promise<TreeEntry[]> {
  const out = rawPath(await git(["ls-tree", "-r", "-l", "-z", "--full-tree", commit], options));
  return out.split("\0").filter(Boolean).map(parseEntry);
}

function parseEntry(line: string): TreeEntry {
  const tab = line.indexOf("\t");
  const [mode = "", , id = "", size = ""] = line.slice(0, tab).split(/ +/);
  return { path: line.slice(tab + 1), mode: modern(mode), id, size: size === "-" ? 0 : Number(size) };
}

/** Converts modes that only old commits have, such as 100664. */
function modern(mode: string): Mode {
  if (mode === "120000" || mode === "160000") return mode;
  return (Number.parseInt(mode, 8) & 0o100) === 0 ? "100644" : "100755";
}

/** One blob. Its content must be read to the end before the next blob is taken. */
export interface Blob {
  id: string;
  size: number;
  chunks(): AsyncGenerator<Buffer>;
}

/** Reads blobs in the order of `ids` with one git process, without filters or conversions. */
export async function* readBlobs(ids: readonly string[], options: GitOptions): AsyncGenerator<Blob> {
  const args = ["cat-file", "--batch"];
  const child = startGit(args, options);
  const done = ended(child, args);
  // The next read fails too and reports the error. This handler only prevents an unhandled rejection before that.
  done.catch(() => {});
  ask(child, ids);
  const source = new ByteSource(child.stdout);
  for (const id of ids) {
    const size = sizeFrom(await source.line(), id);
    yield { id, size, chunks: () => source.take(size) };
    await source.line();
  }
  await done;
}

/** Reads the whole content of a blob into memory. */
export async function whole(blob: Blob): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of blob.chunks()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function ask(child: GitProcess, ids: readonly string[]): void {
  child.stdin.on("error", () => {});
  child.stdin.end(ids.map((id) => `${id}\n`).join(""));
}

function sizeFrom(header: string, id: string): number {
  const match = /^[0-9a-f]+ blob ([0-9]+)$/.exec(header);
  if (!match) throw new BellhopError("ObjectMissing", `the object ${id} of the commit is missing or is not a blob`);
  return Number(match[1]);
}

/** Reads lines, and a given number of bytes, from one stream. */
class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end >= 0) {
        const line = this.#rest.subarray(0, end).toString("latin1");
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (!(await this.#more())) throw new BellhopError("GitFailed", "git cat-file ended before it had answered");
    }
  }

  async *take(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0;) {
      if (this.#rest.length === 0 && !(await this.#more()))
        throw new BellhopError("GitFailed", "git cat-file ended in the middle of a blob");
      const chunk = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done) return false;
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value]);
    return true;
  }
}
