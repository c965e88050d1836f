import { describe, expect, it } from "vitest";
import { findWords, type Exception, type Rule } from "../../scripts/find-words.ts";
import { rules } from "../../scripts/words.ts";

/** The findings in one file, as `line:column found`. */
function found(text: string, path = "src/a.ts", exceptions: readonly Exception[] = []): string[] {
  const { findings } = findWords([{ path, text }], rules, exceptions);
  return findings.map(({ line, column, found: word }) => `${line}:${column} ${word}`);
}

/** One text for each rule. A rule that is not here fails the test below. */
const examples: Record<string, string> = {
  ring: "which triggers ring",
  bell: "after the bell",
  desk: "posts at the desk",
  house: "GitHub is a house",
  story: "the story of a task",
  told: "it was told once",
  tell: "tells the sender",
  words: "the last words of an agent",
  hand: "secrets in hand",
  door: "a closed door",
  mend: "until it is mended",
  anew: "list anew",
  "in vain": "waited in vain",
  "own accord": "of its own accord",
  "for people": "a sentence for people",
  "waits for a person": "it waits for a person",
  "leave to": "waits for leave to publish",
  "lets us in": "nobody lets us in",
  "of former times": "hooks of former times",
  Whoever: "/** Whoever asks. */",
  "What …": "/** What the routes need. */",
  "Where …,": "// Where a step throws, the rest is left out.",
};

describe("the rules", () => {
  it.each(rules)("$name is found, and only by its own rule", ({ name }) => {
    const { findings } = findWords([{ path: "docs/a.md", text: `First line.\n${examples[name] ?? ""}\n` }], rules, []);
    expect(findings.map(({ rule, line }) => [rule.name, line])).toEqual([[name, 2]]);
  });

  it.each([
    "during a string of refused ranges, KeyRing and keyRing bring a key ring",
    "bellhop, Bellhop, BELLHOP_PORT and bellhop.dev",
    "history, stored, restore, household words",
    "tells two of them apart, tells a fork from its parent, nobody can tell",
    "handle, handler, beforehand, on the other hand, hands a volume over, handOver, a hand-written policy",
    "recommend, amend, outdoors, indoor",
    "- [What happens to a lost node?](operations.md)",
    "## What it is given",
    "| What | Where |",
    "/** Where sandboxes run: `pod` on any cluster, `process` in tests. */",
    "/** Where providers reach the gateway, https, without a slash; so it is. */",
  ])("nothing is found in: %s", (text) => expect(found(text)).toEqual([]));
});

describe("the finder", () => {
  it.each([
    { text: "const mayRing = 1;", expected: ["1:10 Ring"] },
    { text: "ringOf(aRing, rings, Rings);", expected: ["1:1 ring", "1:9 Ring", "1:15 rings", "1:22 Rings"] },
    { text: "export const MAY_RING = may_ring;", expected: ["1:18 RING", "1:29 ring"] },
    { text: "inHand.hold(secretsInHand)", expected: ["1:3 Hand", "1:22 Hand"] },
    { text: 'await import("./find-desk.ts");', expected: ["1:22 desk"] },
    { text: "a.toldAt; b.#tell(); c.reportDESK2", expected: ["1:3 told", "1:14 tell"] },
  ])("finds words in identifiers: $text", ({ text, expected }) => expect(found(text)).toEqual(expected));

  it.each([
    { what: "a docstring", text: "/**\n * It waited in\n * vain.\n */" },
    { what: "line comments", text: "x;\n  // It waited in\n  // vain." },
    { what: "YAML comments", text: "a: b\n# It waited in\r\n# vain." },
    { what: "Markdown", text: "First.\nIt waited in\nvain." },
    { what: "joined strings", text: 'x;\n"It waited in " +\n  "vain"' },
  ])("finds a phrase that continues on the next line of $what", ({ text }) => {
    const { findings } = findWords([{ path: "src/a.ts", text }], rules, []);
    expect(findings).toMatchObject([
      { line: 2, found: "in vain", context: expect.stringContaining("It waited in") as string },
    ]);
  });

  it("does not join the end of one comment with the next statement", () => {
    expect(found("/** It waited in */\nvain();")).toEqual([]);
  });

  it("finds words in the names of files and folders, at their first line", () => {
    expect(found("", "src/find-desk.ts")).toEqual(["1:1 desk"]);
    expect(found("anew", "src/story/a.ts")).toEqual(["1:1 story", "1:1 anew"]);
  });

  it("gives every finding of a line, in the order of the text", () => {
    expect(found("ok\nthe desk told a story anew")).toEqual(["2:5 desk", "2:10 told", "2:17 story", "2:23 anew"]);
  });
});

describe("an exception", () => {
  const rule: Rule = { name: "told", words: ["told"], write: '"posted"', why: "reports are posted" };
  const toldAt: Exception = { path: "src/**/*.ts", text: /\btoldAt\b/, reason: "a stored field" };
  const search = (path: string, text: string) => findWords([{ path, text }], [rule], [toldAt]);

  it("covers findings inside its text and no others of the same line", () => {
    const { findings, excepted, stale } = search("src/a/b.ts", "told(report.toldAt, told)");
    expect(findings.map(({ column }) => column)).toEqual([1, 21]);
    expect({ excepted, stale }).toEqual({ excepted: 1, stale: [] });
  });

  it("covers only files of its path", () => {
    const { findings, stale } = search("test/a.ts", "report.toldAt");
    expect(findings).toHaveLength(1);
    expect(stale).toEqual([toldAt]);
  });

  it.each([
    ["its text is gone", "src/a.ts", "report.postedAt"],
    ["no rule finds anything in its text any more", "src/a.ts", "report.toldAtNoon"],
    ["its file is gone", "docs/a.md", "nothing"],
  ])("is stale once %s", (_, path, text) => expect(search(path, text).stale).toEqual([toldAt]));
});
