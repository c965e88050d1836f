import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../test/thorough.ts";
import { branchPrefix, gitName, isGitName } from "./git-name.ts";

/** Whether git itself accepts the name of a branch. */
function gitAccepts(name: string): boolean {
  return spawnSync("git", ["check-ref-format", `refs/heads/${name}`]).status === 0 && !name.startsWith("-");
}

const piece = fc.constantFrom(
  "a",
  "/",
  ".",
  "..",
  ".lock",
  "@",
  "@{",
  "-",
  "~",
  " ",
  "\\",
  "[",
  "*",
  "é",
  "\u0007",
  ":",
  "_",
);

describe("the names that are given to git", () => {
  it("are accepted exactly if git accepts them as a branch", () => {
    // `@` alone is a ref, but as the name of a branch it means HEAD.
    const name = fc
      .array(piece, { minLength: 1, maxLength: 6 })
      .map((pieces) => pieces.join(""))
      .filter((text) => text !== "@");
    fc.assert(
      fc.property(name, (text) => {
        expect([text, isGitName(text)]).toEqual([text, gitAccepts(text)]);
      }),
      { numRuns: thorough(300), seed: 11 },
    );
  });

  it.each(["main", "feature/a-b_c.d", "refs/heads/ünïcode"])("may be %s", (name) => {
    expect(gitName.safeParse(name).success).toBe(true);
  });

  it.each(["a..b", "a.lock", "a/.b", "a b", "-a", "a/", "@", "a@{1}", "a.", ""])("may not be %j", (name) => {
    expect(gitName.safeParse(name).success).toBe(false);
  });
});

describe("the prefix of branches", () => {
  it.each(["bellhop/", "team-1/bots/", "a.b/"])("may be %s", (prefix) => {
    expect(branchPrefix.parse(prefix)).toBe(prefix);
  });

  it.each(["bot.lock/", "bot/.x/", "a..b/", "a/b.lock/", "bot", "/bot/", "-bot/", "a//b/"])(
    "may not be %s, because git refuses it",
    (prefix) => {
      expect(branchPrefix.safeParse(prefix).success).toBe(false);
    },
  );
});
