import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultProtectedPaths } from "../../api/agent-profile.ts";
import { checkOutput, globMatcher } from "./output-policy.ts";

describe("globMatcher", () => {
  it.each([
    [".github/workflows/**", ".github/workflows/ci.yml", true],
    [".github/workflows/**", ".GitHub/Workflows/CI.yml", true],
    [".github/workflows/**", ".github/workflows/deep/er.yml", true],
    [".github/workflows/**", ".github/workflow", false],
    ["**/CODEOWNERS", "CODEOWNERS", true],
    ["**/CODEOWNERS", "docs/codeowners", true],
    ["**/CODEOWNERS", "docs/CODEOWNERS.md", false],
    ["*.yml", "a/b.yml", false],
    ["a?c", "abc", true],
    ["a+b.(c)", "a+b.(c)", true],
  ])("%s against %s is %s", (glob, path, matches) => {
    expect(globMatcher(glob)(path)).toBe(matches);
  });

  it("matches any name below a folder and no other, whatever its characters", () => {
    const lineEnd = fc.constantFrom("\n", "\r", "\u2028", "\u2029", "\u0085");
    const unit = fc.oneof(lineEnd, fc.string({ unit: "binary", minLength: 1, maxLength: 1 }));
    const name = fc.string({ unit, minLength: 1 }).filter((text) => !text.includes("/"));
    const below = globMatcher(".github/workflows/**");
    const anywhere = globMatcher("**/CLAUDE.md");
    fc.assert(
      fc.property(fc.array(name, { minLength: 1 }), (names) => {
        const path = names.join("/");
        expect(below(`.github/workflows/${path}`)).toBe(true);
        expect(below(`.github/workflow/${path}`)).toBe(false);
        expect(anywhere(`${path}/CLAUDE.md`)).toBe(true);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("never throws, whatever the glob", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (glob, path) => typeof globMatcher(glob)(path) === "boolean"),
      { seed: 1, numRuns: 2000 },
    );
  });
});

describe("checkOutput", () => {
  const policy = { protectedPaths: defaultProtectedPaths, maxFiles: 2, maxPatchKiB: 1 };

  it("allows an ordinary change", () => {
    expect(checkOutput({ paths: ["src/sum.ts"], patchBytes: 100 }, policy)).toEqual({
      protectedPaths: [],
      refusals: [],
    });
  });

  it("names each protected path, whatever its case", () => {
    expect(checkOutput({ paths: [".github/WORKFLOWS/x.yml"], patchBytes: 1 }, policy).protectedPaths).toEqual([
      ".github/WORKFLOWS/x.yml",
    ]);
  });

  it.each([
    ".claude",
    "packages/shop/.claude",
    ".Husky",
    ".devcontainer",
    ".github",
    ".GitHub",
    ".github/workflows",
    ".devcontainer.json",
    ".github/workflows/evil\n.yml",
  ])("names %j: a link or file in a protected folder's place, or in it", (path) => {
    expect(checkOutput({ paths: [path], patchBytes: 1 }, policy).protectedPaths).toEqual([path]);
  });

  it.each(["docs/readme.md", ".github/dependabot.yml", ".github/workflow", "src/.github", "claude"])(
    "lets %j be: no protected folder has its name",
    (path) => {
      const protectedPaths = [...defaultProtectedPaths, "docs/*/api/**"];
      expect(checkOutput({ paths: [path], patchBytes: 1 }, { ...policy, protectedPaths }).protectedPaths).toEqual([]);
    },
  );

  it("refuses too many files and too much content, with both numbers", () => {
    const { refusals } = checkOutput({ paths: ["a", "b", "c"], patchBytes: 2000 }, policy);
    expect(refusals).toEqual([
      "the commit changes 3 files (at most 2 are allowed)",
      "the commit adds 2 KiB of new content (at most 1 KiB are allowed)",
    ]);
  });
});

describe("a commit that changes many protected paths", () => {
  it("is refused with the first twenty, and the number of the others", () => {
    const paths = Array.from({ length: 23 }, (_, at) => `.github/workflows/${at}.yml`);
    const policy = { protectedPaths: [".github/workflows/**"], maxFiles: 100, maxPatchKiB: 100 };
    const { refusals, protectedPaths } = checkOutput({ paths, patchBytes: 0 }, policy);
    expect(refusals).toEqual([`the commit changes protected paths: ${paths.slice(0, 20).join(", ")} and 3 more`]);
    expect(protectedPaths).toEqual(paths);
  });
});
