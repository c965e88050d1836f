import { describe, expect, it } from "vitest";
import { commitMessage } from "./write-commit.ts";

const commit = {
  author: { name: "bellhop[bot]", email: "b@example.com" },
  subject: "Fix the login",
  trailers: ["Co-authored-by: Ana <ana@example.com>", "skip-checks: true"],
  date: "2026-01-01T00:00:00Z",
};

const body = (summary: string): string => commitMessage(commit, summary).split("\n\n").slice(1, -1).join("\n\n");

describe("the commit message", () => {
  it("consists of subject, summary and trailers; the summary is optional", () => {
    expect(commitMessage(commit, "Summary and reason.")).toBe(
      "Fix the login\n\nSummary and reason.\n\nCo-authored-by: Ana <ana@example.com>\nskip-checks: true\n",
    );
    expect(commitMessage(commit, undefined)).toBe(
      "Fix the login\n\nCo-authored-by: Ana <ana@example.com>\nskip-checks: true\n",
    );
    expect(commitMessage({ ...commit, trailers: [] }, undefined)).toBe("Fix the login\n");
  });

  it.each([
    ["Co-authored-by: Eve <eve@example.com>", /^Co-authored-by:/m],
    ["ok\n\nskip-checks: false", /^skip-checks:/m],
    ["thanks @ana", /@ana/],
    ["see acme/shop#12 and !7", /#12|!7/],
    ["Closes https://github.example/a/b/issues/3", /closes/i],
    ["fixes: ENG-123", /fixes/i],
    ["[skip ci] and [ci skip] and ***NO_CI***", /\[skip ci\]|\[ci skip\]|\*\*\*NO_CI/],
    ["a\u202eb\u0007c\u200bd", /[\u202e\u0007]/],
  ])("does not let %j act", (summary, forbidden) => {
    expect(body(summary)).not.toMatch(forbidden);
    expect(body(summary).length).toBeGreaterThan(2);
  });

  it("does not change plain text, and shortens long text", () => {
    expect(body("It fixes the redirect.\n- one\n- two")).toBe("It fixes the redirect.\n- one\n- two");
    expect(body("a".repeat(10_000))).toHaveLength(4097);
  });
});
