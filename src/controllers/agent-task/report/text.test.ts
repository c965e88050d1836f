import { describe, expect, it } from "vitest";
import { anIntegration, aTask, noon, rendered, shaOf, type TaskOverrides } from "../testing.ts";
import { reportOf } from "./text.ts";

const say = (over: TaskOverrides): string =>
  rendered(reportOf({ task: aTask(over), integration: anIntegration(), excerpt: "fix it", now: noon }));
const ago = (minutes: number, seconds = 0): string =>
  new Date(noon.getTime() - minutes * 60_000 - seconds * 1000).toISOString();

const gathered = {
  type: "ContextReady",
  reason: "Gathered",
  message: "Read the description and 3 comments; works on branch `bellhop/42-fix`, on `main` at `3f2a1c9`.",
} as const;
const checkout = { baseRef: "main", headRef: "bellhop/42-fix", headSHA: `3f2a1c9${"0".repeat(33)}`, newBranch: true };

describe("the answer that lists requests", () => {
  it("has a number, the state, the repository, the change and a link to the report for each", () => {
    const end = { type: "Succeeded", reason: "Status", message: "Unfinished requests: 1." } as const;
    const task = aTask({ spec: { command: "status" }, conditions: ["Authorized", end] });
    const done = aTask({
      name: "shop-def",
      conditions: ["Authorized", { type: "Succeeded", reason: "Published" }],
      status: {
        report: { quote: "fix *it* @bob", url: "https://github.com/acme/shop/issues/1" },
        result: { changeNumber: 7, changeURL: "https://github.com/acme/shop/pull/7" },
      },
    });
    const listed = [aTask({ conditions: ["Authorized", "Admitted", "SandboxReady"] }), done];
    const text = rendered(reportOf({ task, integration: anIntegration(), excerpt: "status", listed, now: noon }));
    const [first, second] = text.split("\n").filter((line) => /^\d\. /.test(line));
    expect(text).toContain("Unfinished requests: 1.");
    expect(first).toMatch(/^1\. \*\*Bellhop is on it\*\* · acme\/shop · “report” by @\u200bana · `shop-abc`$/);
    expect(second).toMatch(/^2\. \*\*Done\*\* · acme\/shop · PR #7 · .*fix/);
    expect(second).toContain("https://github.com/acme/shop/issues/1");
    expect(second).not.toContain("@bob");
  });
});

describe("the report of running work", () => {
  it("shows the requester, the done and open steps, and the elapsed time", () => {
    const text = say({
      status: {
        phase: "Running",
        checkout,
        startTime: ago(2, 10),
        progress: {
          updatedAt: noon.toISOString(),
          checklist: [{ text: "read the tests", done: true }],
          step: "fixing the failing test",
        },
      },
      conditions: ["Authorized", "Admitted", gathered, "SandboxReady"],
    });
    expect(text.split("\n")).toEqual([
      "**Bellhop is on it** · asked by @ana: “fix it” · task `shop-abc`",
      "",
      "- [x] read the description and 3 comments",
      "- [x] checked out `main` at 3f2a1c9",
      "- [x] read the tests",
      "- [ ] fixing the failing test",
      "",
      "2 m · `bellhop/42-fix` · `@bellhop stop` stops it",
    ]);
  });

  it("names the continued branch if it creates none", () => {
    const onOurs = { ...checkout, newBranch: false };
    const text = say({ status: { checkout: onOurs }, conditions: ["Authorized", "Admitted", gathered] });
    expect(text).toContain("- [ ] checked out `bellhop/42-fix` at 3f2a1c9");
  });

  it("lets no text of the agent mention, close, link or start a line of its own", () => {
    const step = "@ana fixes #1\n- [x] merged <img src=x> [here](https://evil.example.com)";
    const text = say({
      status: { progress: { updatedAt: ago(0), step } },
      conditions: ["Authorized", "Admitted", gathered, "SandboxReady"],
    });
    expect(text).not.toMatch(/@ana fixes|fixes #1|<img|\]\(https:\/\/evil/);
    expect(text.split("\n").filter((line) => line.startsWith("- [x]"))).toEqual([
      "- [x] read the description and 3 comments",
    ]);
  });
});

describe("the report at the end", () => {
  const end = (over: TaskOverrides): string =>
    say({ ...over, status: { startTime: ago(6, 2), completionTime: noon.toISOString(), checkout, ...over.status } });
  const done = { type: "Succeeded", reason: "Published", message: "pushed" } as const;
  const result = { branch: "bellhop/42-fix", commit: shaOf("b"), changeNumber: 57, changeDraft: true };

  it("shows the duration, the change, the agent's summary, and how to continue", () => {
    const text = end({
      status: { phase: "Succeeded", result: { ...result, summary: "Sums are right now." } },
      conditions: ["Authorized", done],
    });
    expect(text.split("\n\n")).toEqual([
      "**Done in 6 m 02 s** · draft PR #57 · asked by @ana: “fix it”",
      "`bellhop/42-fix` at bbbbbbb",
      "Sums are right now.",
      "Reply `@bellhop …` to continue; commands: `stop`, `retry`, `status`, `help`.",
    ]);
  });

  it("says that checks are held, and how to start them, if no change of ours does", () => {
    const say = (held: object): string =>
      end({ status: { phase: "Succeeded", result: { ...result, ...held } }, conditions: ["Authorized", done] });
    expect(say({ heldUnsaid: true })).toMatch(/Checks are held.*required checks wait.*`@bellhop approve bbbbbbb`/s);
    expect(say({})).not.toContain("Checks are held");
  });

  it("names the paths that were left out of the commit", () => {
    const proposed = { attempt: 1, ref: "r", newId: shaOf("b"), files: 1, patchKiB: 1, skipped: ["a/.git", "@ana/b"] };
    const text = end({
      status: { phase: "Succeeded", result: { ...result, proposed } },
      conditions: ["Authorized", done],
    });
    expect(text).toContain("Left out of the commit: a/.git, ");
    expect(text).not.toContain("@ana/b");
  });
});

describe("the answer to a command", () => {
  const answer = (status: "True" | "False", message: string, reason = "Status"): string =>
    say({ spec: { command: "status" }, conditions: [{ type: "Succeeded", status, reason, message }] });

  it("is the message, encoded", () => {
    expect(answer("True", "one: Running")).toMatch(/^\*\*Answer\*\* · .*\n\none: Running$/);
    expect(answer("True", "the agent says @ana")).not.toContain("@ana");
  });

  it("mentions the person if it was not carried out", () => {
    expect(answer("False", "Nothing waits.", "NothingToApprove")).toBe(
      "**Not done** · asked by @ana: “fix it”\n\nNothing waits.",
    );
  });

  it("to help is a list of commands that can be copied", () => {
    const [first, list = ""] = answer("True", "Write `@bellhop stop`.", "Help").split("\n\n");
    expect(first).toBe("**Answer** · asked by @\u200bana: “fix it”");
    expect(list.split("\n").slice(0, 2)).toEqual([
      "- `@bellhop …`: does what you write",
      "- `@bellhop stop`: stops the running work",
    ]);
    expect(list.split("\n")).toHaveLength(7);
  });
});
