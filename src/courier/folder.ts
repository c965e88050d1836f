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
 * An open folder, identified by its file descriptor. Its entries are opened as `/proc/self/fd/<n>/<name>`: the kernel resolves the first part
 * to the folder that was opened, even if its path now leads elsewhere, and `O_NOFOLLOW` refuses a link as the last part. This has the effect
 * of `openat`, which Node does not have. A process that renames or replaces folders meanwhile therefore cannot redirect the courier.
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

  /** Opens a folder inside. Throws `ELOOP` or `ENOTDIR` if the entry is a link or not a folder. */
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

  /** Opens a regular file for reading; undefined if there is none or if the entry is a link, a FIFO, a device or a folder. */
  file(name: string): OpenFile | undefined {
    // The type is checked first, because opening a device can have side effects. With `O_NONBLOCK`, opening a FIFO does not block.
    if (!this.look(name)?.isFile()) return undefined;
    const fd = openOrGone(this.#at(name));
    if (fd === undefined) return undefined;
    const stats = fstatSync(fd);
    if (stats.isFile()) return { fd, stats };
    closeSync(fd);
    return undefined;
  }

  /** The target of a symbolic link, unchanged. */
  link(name: string): Buffer {
    return readlinkSync(this.#at(name), { encoding: "buffer" });
  }

  /** The first `maxBytes` of a regular file as text; undefined if there is no such file. */
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
