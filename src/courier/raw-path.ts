/**
 * A path inside a repository as its raw bytes, one character for each byte (latin1). So names in any encoding stay unchanged, comparisons
 * are by byte, and no library normalises a name.
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

/** A path in human-readable form: decoded as UTF-8, with U+FFFD for invalid bytes and control characters, at most 512 characters. */
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

/** The folders that contain a path, outermost first. */
export function foldersOf(path: RawPath): RawPath[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Longer or deeper paths are neither written nor imported. */
export const maxPathBytes = 4000;
export const maxPathDepth = 200;
const maxNameBytes = 255;

/** The reason why a path from a commit must not be written to a work tree; undefined if it is safe. */
export function unsafePath(path: RawPath): string | undefined {
  const names = path.split("/");
  if (path.length > maxPathBytes || names.length > maxPathDepth) return "it is too long";
  if (names.some((name) => name === "" || name === "." || name === ".."))
    return "it contains an empty name, `.` or `..`";
  if (names.some((name) => name.length > maxNameBytes || name.includes("\0")))
    return "one of its names is not a valid file name";
  if (names.some(isDotGit)) return "git could read it as a `.git` folder";
  return undefined;
}

/** Code points that HFS+ ignores in names. */
const ignorable = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/**
 * Whether a name means `.git` on any file system on which the repository may be cloned: in any letter case, with code points that HFS+ ignores,
 * as the NTFS short name, with trailing dots and spaces, as an NTFS stream, or after a backslash. Git's `verify_path` makes the same checks
 * with `core.protectHFS` and `core.protectNTFS`.
 */
export function isDotGit(name: string): boolean {
  const folded = bytesOf(name).toString("utf8").replaceAll(ignorable, "").toLowerCase();
  return folded.split("\\").some((part) => {
    const [file = ""] = part.split(":");
    const trimmed = file.replace(/[ .]+$/, "");
    return trimmed === ".git" || trimmed === "git~1";
  });
}
