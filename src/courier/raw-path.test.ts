import { describe, expect, it } from "vitest";
import { foldersOf, forPeople, isDotGit, rawPath, unsafePath } from "./raw-path.ts";

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
  ])("takes %j for git's own folder", (name) => {
    expect(isDotGit(raw(name))).toBe(true);
    expect(unsafePath(raw(`a/${name}/config`))).toBe("it would pass for git's own folder");
  });

  it.each([".gitignore", ".github", "git", ".git2", "a.git", "git~2", ".gitmodules", "größe"])(
    "does not take %j for it",
    (name) => {
      expect(isDotGit(raw(name))).toBe(false);
      expect(unsafePath(raw(name))).toBeUndefined();
    },
  );

  it.each(["../a", "a/../b", "/etc/passwd", "a//b", ".", "a/.", "", "a/"])("does not write %j", (path) => {
    expect(unsafePath(path)).toBe("it leaves its folder");
  });

  it("does not write what is too long or too deep", () => {
    expect(unsafePath("a".repeat(256))).toBeDefined();
    expect(unsafePath(Array.from({ length: 201 }, () => "a").join("/"))).toBeDefined();
    expect(unsafePath(Array.from({ length: 200 }, () => "a").join("/"))).toBeUndefined();
  });

  it("shows people any bytes as one line", () => {
    expect(forPeople(raw("größe"))).toBe("größe");
    expect(forPeople("a\nb\x1b\xff")).toBe("a\ufffdb\ufffd\ufffd");
    expect(forPeople("a".repeat(1000))).toHaveLength(512);
  });

  it("names the folders of a path, outermost first", () => {
    expect(foldersOf("a/b/c")).toEqual(["a", "a/b"]);
    expect(foldersOf("a")).toEqual([]);
  });
});
