import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../api/kinds.ts";
import { aChange, fakeHost, type FakeHostState } from "../../integrations/testing.ts";
import { headRule, resolveCheckout, type CheckoutResolution } from "./checkout.ts";
import { aProfile, aTask, shaOf, taskCacheOf } from "./testing.ts";

interface Given {
  task?: AgentTask;
  tasks?: AgentTask[];
  output?: object;
  host?: Partial<FakeHostState>;
}

function resolve({ task = aTask(), tasks = [], output = {}, host = {} }: Given): Promise<CheckoutResolution> {
  const { repository } = task.spec;
  if (!repository) throw new Error("the test's task has no repository");
  return resolveCheckout({
    task,
    tasks: taskCacheOf([task, ...tasks]),
    profile: aProfile({ output }),
    botId: "99",
    repository,
    host: fakeHost(host).host,
    signal: AbortSignal.timeout(1_000),
  });
}

const main = { sha: shaOf("a"), protected: true };
const onChange = aTask({ source: { subject: { type: "Change", key: "acme/shop#57", number: 57, title: "Feature" } } });
const feature = { sha: shaOf("f"), protected: false };
const earlier = aTask({
  name: "earlier",
  conditions: ["Succeeded"],
  createdAt: "2026-03-01T10:00:00Z",
  status: { checkout: { baseRef: "main" }, result: { branch: "bellhop/42-fix-login", changeNumber: 57 } },
});
const ours = aChange({ headRef: "bellhop/42-fix-login", author: { id: "99", login: "bellhop[bot]" } });
const maker = aTask({
  name: "maker",
  conditions: ["Succeeded"],
  spec: { conversation: "elsewhere" },
  status: { checkout: { baseRef: "main", headRef: ours.headRef, newBranch: true }, result: { branch: ours.headRef } },
});

describe("the checkout", () => {
  it.each<{ name: string; given: Given; want: object }>([
    {
      name: "starts a new branch from the default branch for an issue",
      given: {},
      want: {
        baseRef: "main",
        baseSHA: shaOf("a"),
        headRef: "bellhop/42-fix-login",
        headSHA: shaOf("a"),
        newBranch: true,
      },
    },
    {
      name: "takes the next name if the branch exists",
      given: { host: { branches: { main, "bellhop/42-fix-login": feature, "bellhop/42-fix-login-2": feature } } },
      want: { headRef: "bellhop/42-fix-login-3", newBranch: true },
    },
    {
      name: "takes the next name if another running task has chosen the branch and not pushed it yet",
      given: {
        tasks: [
          aTask({
            name: "other",
            spec: { conversation: "x" },
            status: { checkout: { headRef: "bellhop/42-fix-login" } },
          }),
        ],
      },
      want: { headRef: "bellhop/42-fix-login-2" },
    },
    {
      name: "starts without a commit in an empty repository",
      given: { host: { repository: { defaultBranch: "main", archived: false, empty: true }, branches: {} } },
      want: { baseRef: "main", headRef: "bellhop/42-fix-login", newBranch: true },
    },
    {
      name: "continues the branch of the conversation from its current commit while its change is open",
      given: { tasks: [earlier], host: { changes: [ours], branches: { main, [ours.headRef]: feature } } },
      want: { baseRef: "main", baseSHA: shaOf("a"), headRef: ours.headRef, headSHA: shaOf("f") },
    },
    {
      name: "starts a new branch once the conversation's change is closed",
      given: {
        tasks: [earlier],
        host: { changes: [{ ...ours, state: "Merged" }], branches: { main, [ours.headRef]: feature } },
      },
      want: { headRef: "bellhop/42-fix-login-2", newBranch: true },
    },
    {
      name: "continues a branch for which no change was ever opened",
      given: {
        tasks: [{ ...earlier, status: { ...earlier.status, result: { branch: "bellhop/42-fix-login" } } }],
        host: { branches: { main, "bellhop/42-fix-login": feature } },
      },
      want: { headRef: "bellhop/42-fix-login", headSHA: shaOf("f"), baseRef: "main" },
    },
    {
      name: "continues such a branch towards the default branch if its base was merged and deleted, or renamed",
      given: {
        tasks: [
          {
            ...earlier,
            status: { checkout: { baseRef: "feature", stacked: true }, result: { branch: "bellhop/42-fix-login" } },
          },
        ],
        host: { branches: { main, "bellhop/42-fix-login": feature } },
      },
      want: { headRef: "bellhop/42-fix-login", headSHA: shaOf("f"), baseRef: "main", goneBaseRef: "feature" },
    },
    {
      name: "pushes to the head of a change of ours",
      given: { task: onChange, host: { changes: [ours], branches: { main, [ours.headRef]: feature } } },
      want: { headRef: ours.headRef, headSHA: shaOf("f"), baseRef: "main" },
    },
    {
      name: "pushes to the head of a change of ours even after the profile's prefix was changed",
      given: {
        task: onChange,
        tasks: [maker],
        output: { branchPrefix: "ai/" },
        host: { changes: [ours], branches: { main, [ours.headRef]: feature } },
      },
      want: { headRef: ours.headRef, headSHA: shaOf("f"), baseRef: "main" },
    },
    {
      name: "stacks on somebody's branch that a task pushed to while the profile allowed it",
      given: {
        task: onChange,
        tasks: [
          aTask({
            name: "guest",
            conditions: ["Succeeded"],
            status: { checkout: { headRef: "feature" }, result: { branch: "feature" } },
          }),
        ],
        host: { changes: [aChange()], branches: { main, feature } },
      },
      want: { baseRef: "feature", headRef: "bellhop/57-feature", headSHA: shaOf("f"), stacked: true, newBranch: true },
    },
    {
      name: "stacks on a branch of ours that became the default branch, as in a repository that was empty",
      given: {
        task: onChange,
        tasks: [maker],
        host: {
          repository: { defaultBranch: ours.headRef, archived: false, empty: false },
          changes: [ours],
          branches: { main, [ours.headRef]: feature },
        },
      },
      want: { baseRef: ours.headRef, headRef: "bellhop/57-feature", stacked: true, newBranch: true },
    },
    {
      name: "stacks a change of ours on somebody's change",
      given: { task: onChange, host: { changes: [aChange()], branches: { main, feature } } },
      want: { baseRef: "feature", headRef: "bellhop/57-feature", headSHA: shaOf("f"), stacked: true, newBranch: true },
    },
    {
      name: "pushes to somebody's branch if the profile allows it",
      given: {
        task: onChange,
        output: { pushToHumanBranches: true },
        host: { changes: [aChange()], branches: { main, feature } },
      },
      want: { baseRef: "main", headRef: "feature", headSHA: shaOf("f") },
    },
    {
      name: "opens the stacked change against the base of a fork's change, whatever the profile says",
      given: {
        task: onChange,
        output: { pushToHumanBranches: true },
        host: { changes: [aChange({ sameRepository: false })], branches: { main, feature } },
      },
      want: { baseRef: "main", headRef: "bellhop/57-feature", headSHA: shaOf("f"), stacked: true, newBranch: true },
    },
    {
      name: "stacks on somebody's branch that is the base of another open change, whatever the profile says",
      given: {
        task: onChange,
        output: { pushToHumanBranches: true },
        host: {
          changes: [aChange({ headRef: "develop" }), aChange({ number: 60, headRef: "x", baseRef: "develop" })],
          branches: { main, develop: feature },
        },
      },
      want: { baseRef: "develop", headRef: "bellhop/57-feature", headSHA: shaOf("f"), stacked: true, newBranch: true },
    },
    {
      name: "stacks on a branch without our prefix, even if the bot's own account opened the change",
      given: {
        task: onChange,
        host: { changes: [{ ...ours, headRef: "develop" }], branches: { main, develop: feature } },
      },
      want: { baseRef: "develop", headRef: "bellhop/57-feature", headSHA: shaOf("f"), stacked: true, newBranch: true },
    },
    {
      name: "stacks on the default branch, even if the bot opened the change and the name has our prefix",
      given: {
        task: onChange,
        host: {
          repository: { defaultBranch: "bellhop/main", archived: false, empty: false },
          changes: [{ ...ours, headRef: "bellhop/main", baseRef: "production" }],
          branches: { "bellhop/main": feature },
        },
      },
      want: { baseRef: "bellhop/main", headRef: "bellhop/57-feature", headSHA: shaOf("f"), stacked: true },
    },
    {
      name: "does not treat somebody's branch as ours because of its name",
      given: {
        task: onChange,
        host: { changes: [aChange({ headRef: "bellhop/mine" })], branches: { main, "bellhop/mine": feature } },
      },
      want: { baseRef: "bellhop/mine", headRef: "bellhop/57-feature", stacked: true },
    },
    {
      name: "starts from the default branch if the change was closed in the meantime",
      given: { task: onChange, host: { changes: [aChange({ state: "Closed" })] } },
      want: { baseRef: "main", headRef: "bellhop/57-feature", newBranch: true },
    },
  ])("$name", async ({ given, want }) => {
    const resolution = await resolve(given);
    expect(resolution).toMatchObject({ ok: true, checkout: want });
    const { checkout } = resolution as { checkout: Record<string, unknown> };
    const set = Object.keys(checkout).filter((key) => checkout[key] !== undefined);
    for (const flag of ["stacked", "newBranch"])
      expect(set.includes(flag)).toBe(flag in want || (flag === "newBranch" && checkout["newBranch"] === true));
  });

  it.each<{ name: string; given: Given; reason: string; message: RegExp }>([
    {
      name: "fails for a repository that was deleted",
      given: { host: { repository: undefined } },
      reason: "RepositoryGone",
      message: /acme\/shop was deleted/,
    },
    {
      name: "fails for an archived repository",
      given: { host: { repository: { defaultBranch: "main", archived: true, empty: false } } },
      reason: "RepositoryArchived",
      message: /archived/,
    },
    {
      name: "fails for a change that was deleted",
      given: { task: onChange },
      reason: "ChangeGone",
      message: /acme\/shop#57/,
    },
    {
      name: "fails before the agent runs if a rule of the code host would refuse the push to a new branch",
      given: { host: { pushRefusals: { "bellhop/42-fix-login": "The ruleset does not allow it." } } },
      reason: "PushNotAllowed",
      message: /^The ruleset does not allow it\.$/,
    },
    {
      name: "fails before the agent runs if a rule of the code host would refuse the push to an existing branch",
      given: {
        task: onChange,
        host: {
          changes: [ours],
          branches: { main, [ours.headRef]: feature },
          pushRefusals: { [ours.headRef]: "The ruleset does not allow it." },
        },
      },
      reason: "PushNotAllowed",
      message: /does not allow/,
    },
    {
      name: "fails before the agent runs if a branch has the name of the prefix",
      given: { host: { branches: { main, bellhop: feature } } },
      reason: "BranchTaken",
      message: /^The branch `bellhop` exists, so git cannot create `bellhop\/42-fix-login`/,
    },
    {
      name: "fails after fifty names",
      given: {
        host: {
          branches: Object.fromEntries([
            ["main", main],
            ["bellhop/42-fix-login", main],
            ...Array.from({ length: 49 }, (_, n) => [`bellhop/42-fix-login-${n + 2}`, main]),
          ]),
        },
      },
      reason: "BranchTaken",
      message: /delete old branches/,
    },
  ])("$name", async ({ given, reason, message }) => {
    expect(await resolve(given)).toEqual({ ok: false, reason, message: expect.stringMatching(message) });
  });

  const free = { ours: false, isDefault: false, isProtected: false, isBase: false, pushToHumanBranches: true };

  it.each([{ isProtected: true }, { isBase: true }, { isDefault: true }])(
    "never pushes to somebody's branch that is protected, a base or the default (%o)",
    (head) => {
      expect(headRule({ sameRepository: true }, { ...free, ...head })).toBe("Stack");
      expect(headRule({ sameRepository: true }, free)).toBe("Push");
    },
  );

  it("never pushes to a fork, whatever the other facts are", () => {
    expect(headRule({ sameRepository: false }, { ...free, ours: true })).toBe("Stack");
  });

  it("uses only letters, digits and dashes in branch names, whatever the title", async () => {
    const title = "Ünïcode ../../refs/heads/main $(rm -rf) @{u}";
    const task = aTask({ source: { subject: { type: "Issue", key: "acme/shop#42", number: 42, title } } });
    expect(await resolve({ task })).toMatchObject({
      checkout: { headRef: "bellhop/42-unicode-refs-heads-main-rm-rf-u" },
    });
  });
});
