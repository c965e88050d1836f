import { describe, expect, it } from "vitest";
import type { Report } from "../../../integrations/report.ts";
import { anIntegration, aTask, aThreadTask, noon, rendered, shop, type TaskOverrides } from "../testing.ts";
import { reportOf } from "./text.ts";

const question = { text: "Which repository?", choices: ["acme/shop", "acme/site"], askedAt: noon.toISOString() };
const asks = {
  type: "RepositoryResolved",
  status: "Unknown",
  reason: "WaitingForAnswer",
  message: question.text,
} as const;
const waits = {
  type: "Approved",
  status: "Unknown",
  reason: "WaitingForApproval",
  message: "Only some people can read this thread.",
} as const;
const over = { type: "Succeeded", status: "False", reason: "NoAnswer", message: "Nobody said." } as const;
const report = (given: TaskOverrides): Report =>
  reportOf({ task: aThreadTask(given), integration: anIntegration(), excerpt: "fix it", now: noon });

describe("the report of work that waits for input", () => {
  it("has the question with its choices, once, and a button to stop", () => {
    const asking = report({ conditions: ["Authorized", asks], status: { question } });
    expect(asking).toMatchObject({
      task: "shop-abc",
      question: { text: question.text, choices: question.choices },
      actions: ["stop"],
    });
    expect(rendered(asking).split("\n\n")).toEqual([
      "**Waiting for an answer** · asked by @ana: “fix it” · task `shop-abc`",
      "`@bellhop stop` stops it",
      "**Which repository?**\n- `@bellhop use acme/shop`\n- `@bellhop use acme/site`",
    ]);
  });

  it("says why the code host does not answer, instead of the question alone", () => {
    const unavailable = { ...asks, reason: "Unavailable", message: "GitHub answered 502." } as const;
    expect(rendered(report({ conditions: ["Authorized", unavailable], status: { question } }))).toContain(
      "GitHub answered 502.",
    );
  });

  it("has no question and no button to stop once the work is over", () => {
    const ended = report({ conditions: ["Authorized", asks, over], status: { question } });
    expect(ended).toMatchObject({ question: undefined, actions: ["retry"], over: true });
    expect(rendered(ended)).not.toContain("Which repository?");
  });

  it("offers an approval as long as the work waits for one", () => {
    const status = { repository: shop };
    const waiting = report({ conditions: ["Authorized", waits], status });
    expect(waiting.actions).toEqual(["approve", "stop"]);
    expect(rendered(waiting)).toContain("Only some people can read this thread.");
    expect(report({ conditions: ["Authorized", { ...waits, status: "True" }], status }).actions).toEqual(["stop"]);
    expect(report({ conditions: ["Authorized", { ...waits, reason: "Unavailable" }], status }).actions).toEqual([
      "stop",
    ]);
  });

  it("waits for a code host that does not exist, and not in the queue", () => {
    const missing = { ...asks, reason: "CodeHostNotFound", message: "GitHubIntegration shop does not exist." } as const;
    expect(rendered(report({ conditions: ["Authorized", missing] }))).toMatch(
      /^\*\*Waiting\*\* · .*\n\nGitHubIntegration shop does not exist\./,
    );
  });
});

describe("the buttons of a report", () => {
  const actions = (given: TaskOverrides): readonly string[] =>
    reportOf({ task: aTask(given), integration: anIntegration(), excerpt: undefined, now: noon }).actions;

  it("stop running work and repeat ended work; refused work and commands have none", () => {
    expect(actions({ conditions: ["Authorized", "Admitted"] })).toEqual(["stop"]);
    expect(actions({ conditions: ["Authorized", "Succeeded"] })).toEqual(["retry"]);
    expect(actions({ conditions: [{ type: "Authorized", status: "False" }] })).toEqual([]);
    expect(actions({ spec: { command: "status" }, conditions: ["Authorized", "Succeeded"] })).toEqual([]);
  });
});
