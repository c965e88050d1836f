import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import type { ContextItem } from "../../integrations/connection.ts";
import { fenced, maxContextBytes, maxPromptBytes, renderContext, renderPrompt } from "./context.ts";
import { aTask, aThreadTask, shop } from "./testing.ts";

function item(over: Partial<ContextItem> = {}): ContextItem {
  return { author: "eve", trusted: false, createdAt: "2026-03-01T11:00:00Z", kind: "comment", text: "hello", ...over };
}

/** Reads a fenced block as CommonMark does: ended by the first line of at least as many backticks. */
function blockOf(text: string): { body: string; rest: string } {
  const [, ticks = "", after = ""] = /^(`{3,})[^\n]*\n([\s\S]*)$/.exec(text) ?? [];
  const end = new RegExp(`^ {0,3}\`{${ticks.length},}[ \\t]*$`, "m").exec(after);
  return {
    body: after.slice(0, Math.max(0, (end?.index ?? after.length) - 1)),
    rest: after.slice(end?.index ?? 0).trim(),
  };
}

describe("the rendered context", () => {
  it("fences the text of untrusted authors and names them; does not fence trusted text", () => {
    const text = renderContext(aTask(), [item(), item({ author: "ana", trusted: true, text: "do this" })]);
    expect(text).toContain("## Comment by `eve`, `2026-03-01T11:00:00Z`, untrusted\n````untrusted\nhello\n````");
    expect(text).toContain("## Comment by `ana`, `2026-03-01T11:00:00Z`\ndo this\n");
  });

  it("names the repository that was resolved, and the thread", () => {
    const prompt = renderPrompt(aThreadTask({ status: { repository: shop } }));
    expect(prompt).toContain("You work in a checkout of `acme/shop`, on `C1/100.1`. `ana` asks");
  });

  it("shows the location of a review comment, with its hunk", () => {
    const location = { path: "src/`a`\n.ts", line: 7, hunk: "@@ -1 +1 @@\n+x" };
    const text = renderContext(aTask(), [item({ kind: "reviewComment", location })]);
    expect(text).toContain("At `src/ a  .ts`, line 7:\n````diff\n@@ -1 +1 @@\n+x\n````");
  });

  it("never lets fenced text end its fence, for any text", () => {
    const hostile = fc.array(fc.constantFrom("`", "```", "\n", "~~~", "a", " ", "\r", "````untrusted"), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(hostile, (parts) => {
        const text = parts.join("");
        const { body, rest } = blockOf(fenced(text, "untrusted"));
        expect(body).toBe(text);
        expect(rest).toMatch(/^`+$/);
      }),
      { numRuns: thorough(20_000), seed: 1 },
    );
  });

  it("keeps title, body and the newest comments within its budget, and shows how many are left out", () => {
    const long = "x".repeat(60 * 1024);
    const comments = Array.from({ length: 10 }, (_, n) => item({ author: `c${n}`, text: long }));
    const text = renderContext(aTask(), [item({ kind: "title", text: "T" }), item({ kind: "body" }), ...comments]);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxContextBytes);
    expect(text).toContain("_4 older comments are left out");
    expect(text).toContain("`c9`");
    expect(text).not.toContain("`c3`");
    expect(text.indexOf("`c8`")).toBeLessThan(text.indexOf("`c9`"));
  });

  it("stays within its limits and is deterministic, for any text", () => {
    const items = fc.array(
      fc.record({
        author: fc.string(),
        trusted: fc.boolean(),
        createdAt: fc.constant("2026-03-01T11:00:00Z"),
        kind: fc.constantFrom("title", "body", "comment", "log", "review"),
        text: fc.string({ unit: "grapheme", maxLength: 200 }).map((text) => text.repeat(900)),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(items as fc.Arbitrary<ContextItem[]>, (given) => {
        const text = renderContext(aTask(), given);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxContextBytes);
        expect(renderContext(aTask(), structuredClone(given))).toBe(text);
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it("keeps the end of a log, which shows the failure", () => {
    const text = renderContext(aTask(), [item({ kind: "log", text: `${"x".repeat(80_000)}the end` })]);
    expect(text).toContain("the end");
    expect(text).toContain("[cut here …]");
  });

  it("cuts the prompt as well, with a visible mark", () => {
    const text = renderPrompt(aTask({ spec: { prompt: "€".repeat(65_536) } }));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxPromptBytes);
    expect(text).toMatch(/\[… cut here\]$/);
    expect(text).not.toContain("\uFFFD");
  });
});
