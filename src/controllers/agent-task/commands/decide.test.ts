import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../../api/kinds.ts";
import type { AgentTaskSpec } from "../../../api/agent-task.ts";
import {
  aProfile,
  aTask,
  countingIndex,
  facts,
  shaOf,
  stepContext,
  taskDeps,
  type TaskOverrides,
  noon,
} from "../testing.ts";
import { decideCommand } from "./decide.ts";
import { commandStep, taskAgain } from "./index.ts";

const commit = shaOf("c");
const branch = "bellhop/42-fix";
const at = (minute: number): string => `2026-03-01T11:${String(minute).padStart(2, "0")}:00Z`;
const succeeded = { type: "Succeeded", status: "True", reason: "Published", message: "All done." } as const;

const work = (name: string, minute: number, over: TaskOverrides = {}): AgentTask =>
  aTask({ name, createdAt: at(minute), source: { cause: `issue_comment/${name}` }, ...over });
const published = (name: string, minute: number, over: TaskOverrides = {}): AgentTask =>
  work(name, minute, { conditions: ["Authorized", succeeded], status: { result: { commit, branch } }, ...over });

function aCommand(command: AgentTaskSpec["command"], over: TaskOverrides = {}): AgentTask {
  return aTask({
    name: "shop-command",
    createdAt: at(30),
    actor: { id: "502", login: "bob" },
    source: { cause: "issue_comment/command" },
    conditions: ["Authorized"],
    ...over,
    spec: { ...(command ? { command } : {}), ...over.spec },
  });
}

function say(command: AgentTaskSpec["command"], others: AgentTask[], over: TaskOverrides & { profile?: object } = {}) {
  const task = aCommand(command, over);
  return decideCommand(facts({ task, tasks: [task, ...others] }), { profile: aProfile(over.profile) }, noon);
}

describe("a text that may be a command or a request for work", () => {
  it("is answered with a question, and starts and stops nothing", () => {
    const decision = say("unclear", [work("open", 1), published("done", 2)]);
    expect(decision.actions).toBeUndefined();
    expect(decision.conditions).toMatchObject([
      {
        type: "Succeeded",
        status: "False",
        reason: "NotUnderstood",
        message: expect.stringMatching(/\?.*`stop`/) as string,
      },
    ]);
  });
});

describe("stop", () => {
  it("ends only the open work of the conversation", () => {
    const others = [
      work("open", 1),
      published("done", 2),
      work("elsewhere", 3, { spec: { conversation: "acme/shop#7" } }),
      work("later", 40),
    ];
    expect(say("stop", others)).toEqual({ actions: [{ do: "stop", targets: ["open"] }] });
  });

  it.each([
    ["this release", "9001#42"],
    ["the previous release, by the repository's name", "acme/shop#42"],
  ])("ends work of a repository that was renamed meanwhile, stored by %s", (_what, conversation) => {
    const running = work("open", 1, { spec: { conversation }, status: { conversation } });
    const repository = { id: "9001", host: "github.com", owner: "acme", name: "store" };
    const source = {
      cause: "issue_comment/command",
      subject: { type: "Issue", key: "acme/store#42", number: 42 },
    } as const;
    const renamed = { source, spec: { conversation: "9001#42", repository }, status: { conversation: "9001#42" } };
    expect(say("stop", [running], renamed)).toEqual({ actions: [{ do: "stop", targets: ["open"] }] });
  });

  it("leaves work alone that belongs to a deleted repository whose name another one has now", () => {
    const running = work("open", 1, {
      spec: { conversation: "acme/shop#42" },
      status: { conversation: "acme/shop#42" },
    });
    const repository = { id: "9002", host: "github.com", owner: "acme", name: "shop" };
    const over = { spec: { conversation: "9002#42", repository }, status: { conversation: "9002#42" } };
    expect(say("stop", [running], over).conditions).toMatchObject([{ reason: "NothingToStop" }]);
  });

  it("ends work that was requested earlier in the same second, and no later work", () => {
    const within = (name: string, ms: number): AgentTask =>
      work(name, 30, { source: { cause: `issue_comment/${name}`, receivedAt: `2026-03-01T11:30:00.${ms}Z` } });
    const command = { source: { cause: "issue_comment/command", receivedAt: "2026-03-01T11:30:00.500Z" } };
    expect(say("stop", [within("z-before", 499), within("a-after", 501)], command)).toEqual({
      actions: [{ do: "stop", targets: ["z-before"] }],
    });
  });

  it("stops work on our own change that is not authorised yet: its conversation is that of the task that opened the change", () => {
    const subject = { type: "Change", key: "acme/shop#57", number: 57 } as const;
    const conversation = "acme/shop#57";
    const opener = published("opener", 1, {
      status: { conversation: "acme/shop#42", result: { commit, branch, changeNumber: 57 } },
    });
    const fresh = work("fresh", 2, { source: { cause: "issue_comment/fresh", subject }, spec: { conversation } });
    const over = { source: { cause: "issue_comment/command", subject }, status: { conversation: "acme/shop#42" } };
    expect(say("stop", [opener, fresh], { ...over, spec: { conversation } })).toEqual({
      actions: [{ do: "stop", targets: ["fresh"] }],
    });
  });

  it("ends only the person's own work if they may not stop other work", () => {
    const mine = work("mine", 2, { actor: { id: "502", login: "bob" } });
    const only: TaskOverrides = { conditions: [{ type: "Authorized", reason: "OwnWork" }] };
    expect(say("stop", [work("hers", 1), mine], only)).toEqual({ actions: [{ do: "stop", targets: ["mine"] }] });
    expect(say("stop", [work("hers", 1)], only).conditions).toMatchObject([{ reason: "NothingToStop" }]);
  });

  it("says so if no work is running", () => {
    expect(say("stop", [published("done", 2)]).conditions).toMatchObject([{ status: "True", reason: "NothingToStop" }]);
  });
});

describe("retry and continue", () => {
  it.each(["retry", "continue"] as const)("%s starts from the newest work that has ended", (command) => {
    const decision = say(command, [published("older", 1), published("newer", 2)]);
    expect(decision).toEqual({ actions: [{ do: "again", original: "newer" }] });
  });

  it.each(["retry", "continue"] as const)("%s ignores refused work of a stranger", (command) => {
    const actor = { id: "666", login: "mallory" };
    const refused = work("refused", 2, { actor, conditions: [{ type: "Authorized", status: "False" }] });
    expect(say(command, [published("hers", 1), refused])).toEqual({ actions: [{ do: "again", original: "hers" }] });
    expect(say(command, [refused]).conditions).toMatchObject([{ status: "False", reason: "NothingToRetry" }]);
  });

  it("wait for running work, but not for the work that they started themselves", () => {
    expect(say("retry", [published("done", 1), work("open", 2)]).conditions).toMatchObject([
      { status: "False", reason: "StillRunning" },
    ]);
    const begun = work("begun", 30, { source: { cause: "issue_comment/command" } });
    expect(say("retry", [published("done", 1), begun])).toEqual({ actions: [{ do: "again", original: "done" }] });
  });

  it("say so if there is no earlier work", () => {
    expect(say("retry", []).conditions).toMatchObject([{ status: "False", reason: "NothingToRetry" }]);
  });

  it("create one task with the command's source and actor, and the original's prompt and profile", () => {
    const command = aTask({
      name: "shop-command",
      actor: { id: "502", login: "bob" },
      spec: { command: "retry" },
      source: { cause: "issue_comment/command" },
    });
    const original = published("original", 1, { spec: { prompt: "fix it well", profileRef: { name: "careful" } } });
    const made = taskAgain(command, original, "uid-shop");
    expect(made.metadata.name).toBe(taskAgain(command, original, "uid-shop").metadata.name);
    expect(made.metadata.name).not.toBe(taskAgain(command, original, "uid-of-another").metadata.name);
    expect(made.metadata.finalizers).toEqual(["bellhop.dev/cleanup"]);
    expect(made.spec).toMatchObject({
      source: { cause: "issue_comment/command" },
      actor: { login: "bob" },
      prompt: "fix it well",
      profileRef: { name: "careful" },
      retryOf: { name: "original" },
    });
    expect(made.spec.command).toBeUndefined();
  });

  it("cut a prompt that is too long, with a visible mark", () => {
    const original = published("original", 1, { spec: { prompt: "x".repeat(65_536) } });
    const { prompt = "" } = taskAgain(aTask({ spec: { command: "continue" } }), original, "uid").spec;
    expect(Buffer.byteLength(prompt)).toBeLessThanOrEqual(65_536);
    expect(prompt).toContain("cut by Bellhop");
  });
});

describe("status and help", () => {
  it("show the state of the open work, else of the last work", () => {
    const answer = (others: AgentTask[]): string => say("status", others).conditions?.[0]?.message ?? "";
    expect(answer([published("done", 1), work("open", 2, { status: { phase: "Running" } })])).toBe("open: Running");
    expect(answer([published("done", 1, { status: { phase: "Succeeded" } })])).toBe("done: Succeeded. All done.");
    expect(answer([])).toBe("No work has been done in this conversation.");
  });

  it.each([
    {
      name: "none of a thousand refused comments",
      conditions: [{ type: "Authorized", status: "False" } as const],
      most: 10,
    },
    { name: "each of a thousand comments that are not authorised yet a few times", conditions: [], most: 10_000 },
  ])("look at $name", ({ conditions, most }) => {
    const comments = Array.from({ length: 1_000 }, (_, index) => {
      const number = index + 1_000;
      const subject = { type: "Change", key: `acme/shop#${number}`, number } as const;
      const over = { source: { cause: `issue_comment/${number}`, subject }, spec: { conversation: subject.key } };
      return work(`comment-${number}`, 2, { ...over, conditions });
    });
    const { tasks, seen } = countingIndex([published("done", 1), ...comments]);
    const given = facts({ task: aCommand("status"), tasks });
    const { conditions: answer } = decideCommand(given, { profile: aProfile() }, noon);
    expect(answer).toMatchObject([{ message: expect.stringMatching(/^done: /) }]);
    expect(seen()).toBeLessThan(most);
  });

  it("name every command with the bot's mention", () => {
    const { message = "" } = say("help", []).conditions?.[0] ?? {};
    for (const word of ["stop", "retry", "continue", "status", "approve"])
      expect(message).toContain(`@bellhop ${word}`);
  });
});

describe("approve", () => {
  const approve = (others: AgentTask[], argument = "ccccccc", over: TaskOverrides & { profile?: object } = {}) =>
    say("approve", others, { ...over, spec: { commandArgument: argument } });

  it("releases the named commit", () => {
    expect(approve([published("done", 1)])).toEqual({ actions: [{ do: "approve", target: "done", branch, commit }] });
    expect(approve([published("done", 1)], commit.toUpperCase()).actions).toHaveLength(1);
  });

  it.each([
    { name: "no commit waits", others: [], reason: "NothingToApprove" },
    { name: "another commit is named", argument: "ddddddd", reason: "WrongCommit" },
    { name: "the named prefix is too short", argument: "cccccc", reason: "WrongCommit" },
    { name: "no commit is named", argument: "", reason: "WrongCommit" },
    { name: "the requester asks", actor: { id: "501", login: "ana" }, reason: "RequesterMayNotApprove" },
  ])("refuses if $name", ({ others = [published("done", 1)], argument, actor, reason }) => {
    const decision = approve(others, argument ?? "ccccccc", actor ? { actor } : {});
    expect(decision.conditions).toMatchObject([{ status: "False", reason }]);
    expect(decision.actions).toBeUndefined();
  });

  it("accepts no approval from a person whose own unapproved work is under the commit", () => {
    const mine = published("mine", 1, { actor: { id: "502", login: "bob" } });
    expect(approve([mine, published("hers", 2)]).conditions).toMatchObject([{ reason: "RequesterMayNotApprove" }]);
    const approved = published("mine", 1, {
      actor: { id: "502", login: "bob" },
      status: {
        result: { commit, branch },
        requests: [{ type: "approve", by: "eve", from: "shop-eve", argument: "ccccccc" }],
      },
    });
    expect(approve([approved, published("hers", 2)]).actions).toHaveLength(1);
  });

  it("approves once: after a crash it finds the approval on the work, whose commit has changed by then", () => {
    const requests = [{ type: "approve" as const, by: "bob", from: "shop-command", argument: "ccccccc" }];
    const released = published("done", 1, { status: { result: { commit: shaOf("d"), branch }, requests } });
    expect(approve([released]).conditions).toMatchObject([{ status: "True", reason: "Approved" }]);
    const byEve = published("done", 1, {
      status: {
        result: { commit: shaOf("d"), branch },
        requests: [{ type: "approve", by: "eve", from: "shop-eve", argument: "ccccccc" }],
      },
    });
    expect(approve([byEve]).conditions).toMatchObject([{ status: "True", reason: "NothingToApprove" }]);
  });

  it("waits for running work on the branch, because our empty commit would make its push fail", () => {
    const follows = work("follows", 40, { conditions: ["Authorized"], status: { checkout: { headRef: branch } } });
    const elsewhere = work("elsewhere", 40, { conditions: ["Authorized"], status: { checkout: { headRef: "x" } } });
    expect(approve([published("done", 1), follows]).conditions).toMatchObject([
      { status: "False", reason: "StillRunning" },
    ]);
    expect(approve([published("done", 1), elsewhere]).actions).toHaveLength(1);
  });

  it("uses the profile of the waiting work, not that of the command", async () => {
    const target = published("done", 1, { spec: { profileRef: { name: "careful" } } });
    const task = aTask({ spec: { command: "approve", commandArgument: "ccccccc" }, conditions: ["Authorized"] });
    const run = aProfile({ output: { ci: "Run" } });
    const profiles = { get: ({ name }: { name: string }) => (name === "careful" ? aProfile() : run) };
    const given = facts({ task, tasks: [task, target], profile: run });
    const context = stepContext({ deps: taskDeps({ profiles }), facts: given });
    const plan = await commandStep.plan(context, () => context);
    expect(plan.conditions).toMatchObject([{ reason: "RequesterMayNotApprove" }]);
  });

  it("does nothing if checks are not held", () => {
    const decision = approve([published("done", 1)], "ccccccc", { profile: { output: { ci: "Run" } } });
    expect(decision.conditions).toMatchObject([{ status: "True", reason: "NotHeld" }]);
  });
});
