import { ended, startGit, type GitOptions, type GitProcess } from "./run.ts";
import { BellhopError } from "../../shared/errors.ts";

/** The content of one blob, in order of the request; it must be read to its end before the next. */
export interface Blob {
  id: string;
  size: number;
  chunks(): AsyncGenerator<Buffer>;
}

/** Reads blobs as they are stored, without filters, in the order of `ids`, with one git process. */
export async function* readBlobs(ids: readonly string[], options: GitOptions): AsyncGenerator<Blob> {
  const args = ["cat-file", "--batch"];
  const child = startGit(args, options);
  const done = ended(child, args);
  // The next read meets the failure; this keeps it from being unhandled before that.
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

/** The whole content of a blob, which must be at most `maxBytes`. */
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
  if (!match) throw new BellhopError("ObjectMissing", `the object ${id} of the commit is missing or no file's content`);
  return Number(match[1]);
}

/** Lines and counted bytes from one stream. */
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
      if (!(await this.#more())) throw new BellhopError("GitFailed", "git ended before it had answered");
    }
  }

  async *take(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0;) {
      if (this.#rest.length === 0 && !(await this.#more()))
        throw new BellhopError("GitFailed", "git ended in the middle of a file");
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
