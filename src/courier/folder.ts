import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from "node:fs";
import { errorCode } from "../shared/errors.ts";
import { bytesOf, rawPath } from "./raw-path.ts";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** A regular file that was opened without following a link. */
export interface OpenFile {
  fd: number;
  stats: Stats;
}

/**
 * A folder held by its descriptor. Everything in it is reached as `/proc/self/fd/<n>/<name>`: the kernel resolves the first part to the
 * very folder that was opened, wherever its path points by now, and `O_NOFOLLOW` guards the one name that is left. Node has no `openat`;
 * this is the same thing. Renaming, swapping or linking any folder on the way therefore changes nothing.
 */
export class Folder {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Opens a folder by path; its last component must not be a link. */
  static open(path: string): Folder {
    return new Folder(openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /** Opens a folder inside; throws `ELOOP` or `ENOTDIR` when it is a link or something else by now. */
  enter(name: string): Folder {
    return new Folder(openSync(this.#at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /** The names inside, in byte order. */
  names(): string[] {
    return readdirSync(`/proc/self/fd/${this.#fd}`, { encoding: "buffer" }).map(rawPath).sort();
  }

  /** Metadata of the folder itself. */
  stats(): Stats {
    return fstatSync(this.#fd);
  }

  /** Metadata of an entry, without following a link; undefined if it does not exist. */
  look(name: string): Stats | undefined {
    try {
      return lstatSync(this.#at(name));
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Opens a regular file for reading; undefined when it is gone or anything else (a link, a FIFO, a device, a folder). */
  file(name: string): OpenFile | undefined {
    // Looking first keeps us from opening a device, which can have effects; `O_NONBLOCK` keeps a FIFO from holding us.
    if (!this.look(name)?.isFile()) return undefined;
    const fd = openOrGone(this.#at(name));
    if (fd === undefined) return undefined;
    const stats = fstatSync(fd);
    if (stats.isFile()) return { fd, stats };
    closeSync(fd);
    return undefined;
  }

  /** A symbolic link's target, as it is. */
  link(name: string): Buffer {
    return readlinkSync(this.#at(name), { encoding: "buffer" });
  }

  /** The first `maxBytes` of a regular file as text; undefined when there is none. */
  text(name: string, maxBytes: number): string | undefined {
    const file = this.file(name);
    if (file === undefined) return undefined;
    try {
      const buffer = Buffer.alloc(Math.min(maxBytes, file.stats.size));
      return buffer.subarray(0, readSync(file.fd, buffer, 0, buffer.length, 0)).toString("utf8");
    } finally {
      closeSync(file.fd);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #at(name: string): Buffer {
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.#fd}/`), bytesOf(name)]);
  }
}

function openOrGone(path: Buffer): number | undefined {
  try {
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (["ENOENT", "ELOOP", "ENXIO"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}
