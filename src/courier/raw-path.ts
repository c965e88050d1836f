/**
 * A path inside a repository as its raw bytes, one character a byte (latin1). Names in any encoding survive, comparisons are by byte, and
 * nothing is normalised behind our back.
 */
export type RawPath = string;

/** The bytes of a path, for the file system and git. */
export function bytesOf(path: RawPath): Buffer {
  return Buffer.from(path, "latin1");
}

/** A path from the file system's or git's bytes. */
export function rawPath(bytes: Buffer): RawPath {
  return bytes.toString("latin1");
}

/** A path as people read it: UTF-8, with a mark for bytes that are not, without control characters, at most 512 characters. */
export function forPeople(path: RawPath): string {
  const text = bytesOf(path)
    .toString("utf8")
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "\ufffd");
  return text.length <= 512 ? text : `${text.slice(0, 511)}…`;
}

/** `parent/name`, or `name` at the top. */
export function joined(parent: RawPath, name: string): RawPath {
  return parent === "" ? name : `${parent}/${name}`;
}

/** The folders a path lies in, outermost first. */
export function foldersOf(path: RawPath): RawPath[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Longer or deeper paths are neither written nor imported. */
export const maxPathBytes = 4000;
export const maxPathDepth = 200;
const maxNameBytes = 255;

/** Why a path from a commit must not be written to a work tree; undefined when it may. */
export function unsafePath(path: RawPath): string | undefined {
  const names = path.split("/");
  if (path.length > maxPathBytes || names.length > maxPathDepth) return "it is too long";
  if (names.some((name) => name === "" || name === "." || name === "..")) return "it leaves its folder";
  if (names.some((name) => name.length > maxNameBytes || name.includes("\0"))) return "no file can have that name";
  if (names.some(isDotGit)) return "git would take it for its own folder";
  return undefined;
}

/** Code points that HFS+ ignores in names. */
const ignorable = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/**
 * Whether a name is `.git` for any file system a clone may meet: in any case, with HFS+'s ignored code points, as NTFS's short name, with
 * trailing dots and spaces, as a stream, or behind a backslash (as git's own `verify_path` with both protections on).
 */
export function isDotGit(name: string): boolean {
  const folded = bytesOf(name).toString("utf8").replaceAll(ignorable, "").toLowerCase();
  return folded.split("\\").some((part) => {
    const [file = ""] = part.split(":");
    const trimmed = file.replace(/[ .]+$/, "");
    return trimmed === ".git" || trimmed === "git~1";
  });
}
