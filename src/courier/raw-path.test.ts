import { posix } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../test/thorough.ts";
import { bytesOf, foldersOf, forPeople, isDotGit, rawPath, unsafePath } from "./raw-path.ts";

const raw = (text: string): string => rawPath(Buffer.from(text));

describe("paths", () => {
  it.each([
    ".git",
    ".GIT",
    ".Git",
    "git~1",
    "GIT~1",
    ".git ",
    ".git.",
    ".git. .",
    ".git::$INDEX_ALLOCATION",
    ".git:x",
    "x\\.git",
    ".g\u200cit",
    "\ufeff.git",
  ])("refuses %j, which git could read as a `.git` folder", (name) => {
    expect(isDotGit(raw(name))).toBe(true);
    expect(unsafePath(raw(`a/${name}/config`))).toBe("git could read it as a `.git` folder");
  });

  it.each([".gitignore", ".github", "git", ".git2", "a.git", "git~2", ".gitmodules", "größe"])(
    "does not take %j for it",
    (name) => {
      expect(isDotGit(raw(name))).toBe(false);
      expect(unsafePath(raw(name))).toBeUndefined();
    },
  );

  it.each(["../a", "a/../b", "/etc/passwd", "a//b", ".", "a/.", "", "a/"])("refuses %j", (path) => {
    expect(unsafePath(path)).toBe("it contains an empty name, `.` or `..`");
  });

  it("refuses paths that are too long or too deep", () => {
    expect(unsafePath("a".repeat(256))).toBeDefined();
    expect(unsafePath(Array.from({ length: 201 }, () => "a").join("/"))).toBeDefined();
    expect(unsafePath(Array.from({ length: 200 }, () => "a").join("/"))).toBeUndefined();
  });

  it("accepts no path that leaves its folder or leads into a `.git` folder, whatever its bytes", () => {
    const part = fc.constantFrom(
      ".",
      "..",
      "/",
      ".g",
      "IT",
      ".git",
      "git~1",
      " ",
      ":",
      "\\",
      "\0",
      "\u200c",
      "\u202e",
      "a",
      "ö",
    );
    const path = fc.oneof(
      { weight: 4, arbitrary: fc.array(part, { maxLength: 8 }).map((parts) => raw(parts.join(""))) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 24 }).map((bytes) => rawPath(Buffer.from(bytes))) },
    );
    const seen = { safe: 0, unsafe: 0 };
    fc.assert(
      fc.property(path, (given) => {
        expect(forPeople(given)).not.toMatch(/[\0-\x1f\x7f-\x9f]/);
        if (unsafePath(given) !== undefined) return ++seen.unsafe > 0;
        seen.safe += 1;
        const visible = bytesOf(given)
          .toString("utf8")
          .replaceAll(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "");
        const names = visible
          .toLowerCase()
          .split(/[/\\]/)
          .map((name) => name.replace(/:.*$/s, "").replace(/[ .]+$/, ""));
        return (
          posix.normalize(given) === given &&
          !given.startsWith("/") &&
          !names.some((name) => name === ".git" || name === "git~1")
        );
      }),
      { seed: 20_261_124, numRuns: thorough(100_000) },
    );
    expect(Math.min(seen.safe, seen.unsafe), JSON.stringify(seen)).toBeGreaterThan(thorough(5_000));
  });

  it("converts any bytes to one human-readable line", () => {
    expect(forPeople(raw("größe"))).toBe("größe");
    expect(forPeople("a\nb\x1b\xff")).toBe("a\ufffdb\ufffd\ufffd");
    expect(forPeople("a".repeat(1000))).toHaveLength(512);
  });

  it("lists the folders of a path, outermost first", () => {
    expect(foldersOf("a/b/c")).toEqual(["a", "a/b"]);
    expect(foldersOf("a")).toEqual([]);
  });
});
