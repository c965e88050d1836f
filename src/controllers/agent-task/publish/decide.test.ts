import { describe, expect, it } from "vitest";
import type { AgentTaskStatus } from "../../../api/agent-task-status.ts";
import { ProviderError } from "../../../integrations/errors.ts";
import type { OutcomeReason } from "../../../sandbox/protocol/outcome.ts";
import type { SandboxState } from "../../../sandbox/provider.ts";
import { aProfile, aTask, facts, noon, shaOf } from "../testing.ts";
import { patchedStatus, clearRetryCondition } from "../status.ts";
import type { Proposed } from "../state.ts";
import { decide, judgeProposal, type Reading } from "./decide.ts";

const ref = "refs/heads/bellhop/42-fix";
const checkout = { baseRef: "main", headRef: "bellhop/42-fix", headSHA: shaOf("a"), newBranch: true };
const onOurs = { ...checkout, newBranch: false };
const proposed: Proposed = { attempt: 1, ref, newId: shaOf("b"), files: 2, patchKiB: 3 };
const moving = { ...proposed, oldId: shaOf("a") };
const publish = { ref, newId: shaOf("b") };

const task = (status: AgentTaskStatus = {}, conditions: Parameters<typeof aTask>[0] = {}) =>
  aTask({
    ...conditions,
    status: {
      checkout,
      attempts: [{ number: 1, podName: "p", podUID: "u" }],
      result: { proposed },
      ...status,
    },
  });

const running: SandboxState = { state: "Running", podUID: "u", since: noon.toISOString() };
const finished = (reason: OutcomeReason): SandboxState => ({
  state: "Finished",
  podUID: "u",
  outcome: { version: 1, attempt: 1, reason, message: "" },
});
const tipAt = (sha: string, isProtected = false) => ({ sha, protected: isProtected });

describe("judgeProposal", () => {
  const profile = aProfile({ output: { maxFiles: 5, maxPatchKiB: 10 } });

  it.each([
    { name: "a new branch that does not exist yet", status: {}, wanted: proposed, tip: undefined, allow: publish },
    {
      name: "our branch, if it did not move",
      status: { checkout: onOurs },
      wanted: moving,
      tip: tipAt(shaOf("a")),
      allow: { ...publish, oldId: shaOf("a") },
    },
    {
      name: "a commit that is already pushed",
      status: {},
      wanted: proposed,
      tip: tipAt(shaOf("b"), true),
      allow: publish,
    },
    {
      name: "our branch, even if some rule names it: the code host's answer to the push decides",
      status: { checkout: onOurs },
      wanted: moving,
      tip: tipAt(shaOf("a"), true),
      allow: { ...publish, oldId: shaOf("a") },
    },
  ])("allows $name", ({ status, wanted, tip, allow }) => {
    expect(judgeProposal(task(status), profile, wanted, tip)).toEqual({ ok: true, publish: allow });
  });

  it.each([
    {
      name: "protected paths, even if everything else is right",
      wanted: { ...proposed, protectedPaths: [".GitHub/workflows/ci.yml"] },
      reason: "OutputRefused",
      text: /protected paths: `\.GitHub\/workflows\/ci\.yml`/,
    },
    {
      name: "too many files",
      wanted: { ...proposed, files: 6 },
      reason: "OutputRefused",
      text: /6 files \(at most 5/,
    },
    {
      name: "too much content",
      wanted: { ...proposed, patchKiB: 11 },
      reason: "OutputRefused",
      text: /11 KiB .* 10 KiB/,
    },
    {
      name: "another branch",
      wanted: { ...proposed, ref: "refs/heads/main" },
      reason: "PublishRefused",
      text: /asked to push to refs\/heads\/main; the task may push only to bellhop\/42-fix/,
    },
    {
      name: "another base commit",
      wanted: moving,
      reason: "PublishRefused",
      text: /but the task started from nothing/,
    },
    {
      name: "a branch that somebody else created in the meantime",
      wanted: proposed,
      tip: tipAt(shaOf("c")),
      reason: "BranchMoved",
      text: /Somebody else created `bellhop\/42-fix`.*retry/,
    },
    {
      name: "a branch that somebody else pushed to in the meantime",
      status: { checkout: onOurs },
      wanted: moving,
      tip: tipAt(shaOf("c")),
      reason: "BranchMoved",
      text: /Somebody else pushed to .*; nothing was overwritten/,
    },
    {
      name: "a branch that was deleted",
      status: { checkout: onOurs },
      wanted: moving,
      reason: "BranchGone",
      text: /deleted/,
    },
    {
      name: "a branch of other people that became protected in the meantime",
      status: { checkout: { ...onOurs, headRef: "feature" } },
      wanted: { ...moving, ref: "refs/heads/feature" },
      tip: tipAt(shaOf("a"), true),
      reason: "PublishRefused",
      text: /became protected/,
    },
  ])("refuses $name", ({ status, wanted, tip, reason, text }) => {
    const verdict = judgeProposal(task(status), profile, wanted, tip);
    expect(verdict).toMatchObject({ ok: false, reason, message: expect.stringMatching(text) as string });
  });
});

describe("the publish step", () => {
  it("records the one push and mints its token", () => {
    const decision = decide(facts({ task: task(), sandbox: running }), { tip: undefined }, noon);
    expect(decision).toMatchObject({ fields: { publish }, actions: ["allowPush"] });
  });

  it("ignores the proposal of an older attempt", () => {
    const attempts = [{ number: 2, podName: "p2", podUID: "u2" }];
    expect(decide(facts({ task: task({ attempts }), sandbox: running }), { tip: undefined }, noon)).toEqual({});
  });

  it("ends the task with the reason of the refusal, and pushes nothing", () => {
    const result = { proposed: { ...proposed, protectedPaths: ["CODEOWNERS"] } };
    const decision = decide(facts({ task: task({ result }), sandbox: running }), { tip: undefined }, noon);
    expect(decision.conditions).toMatchObject([{ type: "Succeeded", status: "False", reason: "OutputRefused" }]);
    expect(decision.actions).toBeUndefined();
  });

  it("allows no push of a sandbox that is over: its outcome ends the task", () => {
    const over = facts({ task: task(), sandbox: finished("PublishUnreachable") });
    expect(decide(over, { tip: undefined }, noon)).toEqual({});
  });

  const pushed = (sandbox: SandboxState, at = task({ publish })) => facts({ task: at, sandbox });

  it("concludes as soon as the code host shows the commit, whatever the state of the sandbox", () => {
    for (const sandbox of [running, finished("InternalError")]) {
      expect(decide(pushed(sandbox), { tip: tipAt(shaOf("b")) }, noon)).toEqual({ actions: ["conclude"] });
    }
  });

  it("reads the branch again, and keeps the token valid, while the courier pushes", () => {
    expect(decide(pushed(running), { tip: undefined }, noon)).toEqual({
      actions: ["allowPush"],
      requeueAfterMs: 1_500,
    });
  });

  it("withdraws the permission when the sandbox ends without a push", () => {
    const decision = decide(pushed(finished("PublishRefused")), { tip: undefined }, noon);
    expect(decision).toEqual({ fields: { publish: undefined }, requeueAfterMs: 0 });
  });

  it("gives the code host half a minute to show a push that the courier reported", () => {
    const first = decide(pushed(finished("Published")), { tip: undefined }, noon);
    expect(first.conditions).toMatchObject([{ type: "SandboxReady", reason: "PushNotSeen" }]);
    const seen = { type: "SandboxReady", status: "False", reason: "PushNotSeen" } as const;
    const waiting = task({ publish }, { conditions: [seen] });
    const after = (ms: number) =>
      decide(pushed(finished("Published"), waiting), { tip: undefined }, new Date(noon.getTime() + ms));
    expect(after(29_000).requeueAfterMs).toBe(1_500);
    expect(after(31_000)).toEqual({ fields: { publish: undefined }, requeueAfterMs: 0 });
  });

  describe("with a code host that cannot be read", () => {
    const failure = new ProviderError("Suspended", "the App is suspended");

    it("waits while the sandbox waits", () => {
      const decision = decide(pushed(running), { tip: undefined, failure }, noon);
      expect(decision).toMatchObject({
        conditions: [{ type: "Succeeded", status: "Unknown", reason: "Suspended" }],
        requeueAfterMs: 15_000,
      });
    });

    it("fails after a minute of a missing repository, and does not wait for the sandbox", () => {
      const gone = new ProviderError("NotFound", "404");
      const before = task({ publish }, { conditions: [{ type: "Succeeded", status: "Unknown", reason: "NotFound" }] });
      const after = (ms: number, failing = gone) =>
        decide(pushed(running, before), { tip: undefined, failure: failing }, new Date(noon.getTime() + ms));
      expect(after(59_000).conditions).toMatchObject([{ status: "Unknown", reason: "NotFound" }]);
      expect(after(60_000).conditions).toMatchObject([{ status: "False", reason: "RepositoryGone" }]);
      expect(after(600_000, failure).conditions).toMatchObject([{ status: "Unknown", reason: "Suspended" }]);
    });

    it("counts the minute from the first answer that the repository is missing, not from an earlier failure", () => {
      const gone = new ProviderError("NotFound", "404");
      const at = (second: number): Date => new Date(Date.parse("2026-03-01T13:00:00Z") + second * 1_000);
      const stood = { type: "Succeeded", status: "Unknown", reason: "Suspended" } as const;
      let now = task({ publish }, { conditions: [stood] });
      const look = (second: number, shows: Reading): object | undefined => {
        const decision = decide(pushed(running, now), shows, at(second));
        now = { ...now, status: patchedStatus(now, decision, at(second)) };
        // As the step does once the token is valid.
        if (decision.actions?.includes("allowPush"))
          now = { ...now, status: patchedStatus(now, clearRetryCondition(now), at(second)) };
        return now.status?.conditions?.find(({ type }) => type === "Succeeded");
      };
      for (const second of [0, 15, 59])
        expect(look(second, { tip: undefined, failure: gone })).toMatchObject({ status: "Unknown" });
      expect(look(59, { tip: undefined })).toBeUndefined();
      for (const second of [70, 129])
        expect(look(second, { tip: undefined, failure: gone })).toMatchObject({ status: "Unknown" });
      expect(look(130, { tip: undefined, failure: gone })).toMatchObject({ status: "False", reason: "RepositoryGone" });
    });

    it("ends the task once the sandbox is over", () => {
      const gone = new ProviderError("NotFound", "404");
      const decision = decide(pushed(finished("PublishUnreachable")), { tip: undefined, failure: gone }, noon);
      expect(decision.conditions).toMatchObject([{ type: "Succeeded", status: "False", reason: "RepositoryGone" }]);
      const never = facts({ task: task(), sandbox: finished("PublishUnreachable") });
      expect(decide(never, { tip: undefined, failure }, noon)).toEqual({});
    });
  });
});
