import { describe, expect, it } from "vitest";
import type { ProviderEvent } from "../integrations/event.ts";
import { compileRule } from "./cel.ts";
import { decide, type DecisionFacts } from "./decide.ts";
import { anEvent, anIntegration } from "./testing.ts";

const now = new Date("2026-01-10T00:00:00Z");
const failed: ProviderEvent["signals"] = [
  { kind: "failedChecks", headBranch: "bellhop/fix-42", headSHA: "a".repeat(40), sameRepository: true },
];

function deciding(
  over: { spec?: object; event?: Partial<ProviderEvent>; deletionTimestamp?: string; body?: unknown } = {},
) {
  const { spec, event, deletionTimestamp } = over;
  const facts: DecisionFacts = {
    integration: anIntegration({ ...(spec ? { spec } : {}), ...(deletionTimestamp ? { deletionTimestamp } : {}) }),
    event: anEvent(event),
    body: over.body ?? {},
    published: { branchPrefixes: ["bellhop/"], liveThreads: [], offered: [] },
    now,
    compile: compileRule,
  };
  return decide(facts);
}

describe("decide", () => {
  it.each([
    ["a mention", { spec: { triggers: [{ name: "t", mention: {} }] } }],
    [
      "a label, compared case-insensitively",
      {
        spec: { triggers: [{ name: "t", label: { name: "Agent" } }] },
        event: { signals: [{ kind: "label", label: "agent" }] },
      },
    ],
    [
      "an assignment",
      {
        spec: { triggers: [{ name: "t", assignment: { login: "bot-user" } }] },
        event: { signals: [{ kind: "assignment", login: "Bot-User" }] },
      },
    ],
    [
      "a review request",
      {
        spec: { triggers: [{ name: "t", reviewRequest: { login: "bot-user" } }] },
        event: { signals: [{ kind: "reviewRequest", login: "bot-user" }] },
      },
    ],
    [
      "failed checks on a branch that Bellhop pushes to",
      { spec: { triggers: [{ name: "t", failedChecks: {} }] }, event: { signals: failed } },
    ],
    [
      "a true rule",
      {
        spec: { triggers: [{ name: "t", mention: {}, when: "event.actor.login == 'ada' && body.x == 1" }] },
        body: { x: 1 },
      },
    ],
    [
      "an event that happened almost 7 days ago",
      { spec: { triggers: [{ name: "t", mention: {} }] }, event: { occurredAt: new Date("2026-01-03T00:00:01Z") } },
    ],
    [
      "the first trigger that matches",
      {
        spec: {
          triggers: [
            { name: "no", label: { name: "x" } },
            { name: "t", mention: {} },
            { name: "later", mention: {} },
          ],
        },
      },
    ],
    [
      "a trigger after one whose rule is false",
      {
        spec: {
          triggers: [
            { name: "no", mention: {}, when: "false" },
            { name: "t", mention: {} },
          ],
        },
      },
    ],
    [
      "a trigger after one whose rule cannot be evaluated",
      {
        spec: {
          triggers: [
            { name: "no", mention: {}, when: "body.absent == 1" },
            { name: "t", mention: {} },
          ],
        },
      },
    ],
  ] as const)("creates a task for %s", (_, over) => {
    const given = over as Parameters<typeof deciding>[0];
    const [signal] = given?.event?.signals ?? [{ kind: "mention" }];
    expect(deciding(given)).toMatchObject({ result: "task", trigger: { name: "t" }, signal });
  });

  it.each([
    ["Suspended", { spec: { suspend: true } }],
    ["IntegrationDeleted", { deletionTimestamp: "2026-01-01T00:00:00Z" }],
    ["OlderThanRetention", { event: { occurredAt: new Date("2026-01-02T23:59:59Z") } }],
    ["NoTrigger", { spec: { triggers: [{ name: "t", label: { name: "agent" } }] } }],
    ["NoTrigger", { event: { signals: [{ kind: "label", label: "agent" }] } }],
    [
      "NotOurBranch",
      {
        spec: { triggers: [{ name: "t", failedChecks: {} }] },
        event: { signals: [{ ...failed[0], headBranch: "main" }] },
      },
    ],
    [
      "NotOurBranch",
      {
        spec: { triggers: [{ name: "t", failedChecks: {} }] },
        event: { signals: [{ ...failed[0], sameRepository: false }] },
      },
    ],
    ["RuleFalse", { spec: { triggers: [{ name: "t", mention: {}, when: "event.actor.isBot" }] } }],
    ["RuleFailed", { spec: { triggers: [{ name: "t", mention: {}, when: "body.absent == 1" }] } }],
    ["RuleInvalid", { spec: { triggers: [{ name: "t", mention: {}, when: "event." }] } }],
    [
      "RuleInvalid",
      {
        spec: {
          triggers: [
            { name: "t", mention: {}, when: "event." },
            { name: "later", mention: {} },
          ],
        },
      },
    ],
    [
      "RuleTooExpensive",
      { spec: { triggers: [{ name: "t", mention: {}, when: "body.a.all(x, body.a.all(y, body.a.all(z, true)))" }] } },
    ],
  ] as const)("ignores with reason %s", (reason, over) => {
    const decision = deciding(over as Parameters<typeof deciding>[0]);
    expect(decision).toMatchObject({ result: "ignored", reason, message: expect.stringMatching(/\w+ .*\.$|:/) });
  });

  it("creates no task for failed checks while no branch prefix is published", () => {
    const facts: DecisionFacts = {
      integration: anIntegration({ spec: { triggers: [{ name: "t", failedChecks: {} }] } }),
      event: anEvent({ signals: failed }),
      body: {},
      published: { branchPrefixes: [], liveThreads: [], offered: [] },
      now,
      compile: compileRule,
    };
    expect(decide(facts)).toMatchObject({ result: "ignored", reason: "NotOurBranch" });
  });

  it("accepts a command regardless of the triggers and their rules", () => {
    const signals = [{ kind: "mention" as const, words: "stop\nplease" }];
    const labelOnly = deciding({ spec: { triggers: [{ name: "t", label: { name: "agent" } }] }, event: { signals } });
    expect(labelOnly).toEqual({ result: "task", command: "stop", signal: signals[0] });
    const approval = deciding({ event: { signals: [{ kind: "mention", words: "approve 1A2B3C4" }] } });
    expect(approval).toMatchObject({ result: "task", command: "approve", argument: "1a2b3c4" });
  });

  it("keeps the task that a button belongs to", () => {
    const signals = [{ kind: "action" as const, words: "retry", target: "slack-abc" }];
    expect(deciding({ event: { signals } })).toMatchObject({ result: "task", command: "retry", target: "slack-abc" });
  });

  it("accepts no command for a suspended integration", () => {
    const signals = [{ kind: "mention" as const, words: "stop" }];
    expect(deciding({ spec: { suspend: true }, event: { signals } })).toMatchObject({ reason: "Suspended" });
  });

  it("gives rules the time as text", () => {
    const spec = { triggers: [{ name: "t", mention: {}, when: "event.occurredAt.startsWith('2026-01-09')" }] };
    expect(deciding({ spec, event: { occurredAt: new Date("2026-01-09T10:00:00Z") } })).toMatchObject({
      result: "task",
    });
  });
});

describe("an event of a bot", () => {
  const bot = { id: "77", login: "other-app[bot]", isBot: true };
  const everything = [
    { name: "mention", mention: {} },
    { name: "label", label: { name: "agent" } },
    { name: "assigned", assignment: { login: "bot-user" } },
    { name: "review", reviewRequest: { login: "bot-user" } },
    { name: "checks", failedChecks: {} },
  ];

  it.each<ProviderEvent["signals"][number]>([
    { kind: "mention", words: "fix it" },
    { kind: "mention", words: "stop" },
    { kind: "label", label: "agent" },
    { kind: "assignment", login: "bot-user" },
    { kind: "reviewRequest", login: "bot-user" },
  ])("starts no task and gives no command, so that two bots cannot answer each other: %j", (signal) => {
    const event = { actor: bot, signals: [signal] };
    expect(deciding({ spec: { triggers: everything }, event })).toMatchObject({
      result: "ignored",
      reason: "BotSender",
      message: expect.stringContaining("spec.access.bots") as string,
    });
    const listed = { triggers: everything, access: { bots: [{ id: "77", login: "other-app[bot]" }] } };
    expect(deciding({ spec: listed, event })).toMatchObject({ result: "task" });
  });

  it("still starts a task for failed checks, which are always reported by bots", () => {
    expect(deciding({ spec: { triggers: everything }, event: { actor: bot, signals: failed } })).toMatchObject({
      result: "task",
      trigger: { name: "checks" },
    });
  });

  it("is judged by the bot's id, because a name can pass to another account", () => {
    const spec = { access: { bots: [{ id: "78", login: "other-app[bot]" }] } };
    expect(deciding({ spec, event: { actor: bot } })).toMatchObject({ reason: "BotSender" });
  });
});
