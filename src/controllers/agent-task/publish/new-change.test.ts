import { describe, expect, it } from "vitest";
import type { Checkout } from "../../../api/agent-task-status.ts";
import type { Change } from "../../../integrations/code-host.ts";
import { aChange, aConnection, fakeHost } from "../../../integrations/testing.ts";
import type { StatusPatch } from "../facts.ts";
import { anIntegration, aProfile, aTask, facts, noon, rendered, shaOf, stepContext } from "../testing.ts";
import { reportOf } from "../report/text.ts";
import { publishStep } from "./index.ts";
import { aPushingTask } from "./testing.ts";

const branch = "bellhop/42-fix";
const at = (sha: string) => ({ sha: shaOf(sha), protected: false });

/** Concludes the first push of a task whose change is to go into `feature`, at a code host with these branches and changes. */
async function conclude(given: {
  branches: Record<string, { sha: string; protected: boolean }>;
  checkout?: Partial<Record<keyof Checkout, unknown>>;
  changes?: Change[];
  drafts?: boolean;
}) {
  const { host } = fakeHost({ branches: { ...given.branches, [branch]: at("c") }, changes: given.changes ?? [] });
  const opened: Parameters<typeof host.openChange>[1][] = [];
  host.openChange = async (_repository, change) => {
    opened.push(change);
    return aChange({ headRef: branch, baseRef: change.baseRef, draft: change.draft && given.drafts !== false });
  };
  const checkout = { baseRef: "feature", headSHA: shaOf("a"), newBranch: true, ...given.checkout, headRef: branch };
  const task = aPushingTask(shaOf("c"), checkout as Checkout & { headRef: string });
  const context = stepContext({
    facts: facts({ task, profile: aProfile({ output: { pullRequest: "Draft" } }) }),
    connection: async () => aConnection({ codeHost: host }),
  });
  const { actions } = await publishStep.plan(context, () => context);
  const [patch] = (await Promise.all(actions.map((action) => action()))) as [StatusPatch];
  const { result } = patch.fields ?? {};
  return { opened, result, note: result?.changeNote, end: patch.conditions?.at(-1) };
}

describe("a new change", () => {
  it("goes into its base, and has no note, if nothing differs from what was wanted", async () => {
    const { opened, note } = await conclude({ branches: { main: at("a"), feature: at("f") } });
    expect(opened).toMatchObject([{ baseRef: "feature", draft: true }]);
    expect(note).toBeUndefined();
  });

  it("goes into the default branch if its base was deleted while the agent worked, and says so", async () => {
    const { opened, note, end } = await conclude({ branches: { main: at("a") } });
    expect(opened).toMatchObject([{ baseRef: "main" }]);
    expect(note).toBe("It goes into `main`, because `feature` does not exist any more.");
    expect(end).toMatchObject({
      status: "True",
      reason: "Published",
      message: expect.stringContaining(note!) as string,
    });
  });

  it("says so, too, if the base had gone before the agent started", async () => {
    const checkout = { baseRef: "main", goneBaseRef: "feature", newBranch: undefined };
    const { note } = await conclude({ branches: { main: at("a") }, checkout });
    expect(note).toBe("It goes into `main`, because `feature` does not exist any more.");
  });

  it("says that a draft was wanted, and why there is none", async () => {
    const { note, result } = await conclude({ branches: { main: at("a"), feature: at("f") }, drafts: false });
    expect(note).toBe("It is no draft, as the profile wants, because github.com has no drafts for this repository.");
    const ended = aTask({
      conditions: ["Authorized", { type: "Succeeded", status: "True", reason: "Published" }],
      status: { result },
    });
    const report = rendered(reportOf({ task: ended, integration: anIntegration(), excerpt: "", now: noon }));
    expect(report).toContain(note);
  });

  it("says the same after a crash between the opening of the change and the write of the status", async () => {
    const changes = [aChange({ headRef: branch, baseRef: "main", draft: false })];
    const { opened, note } = await conclude({ branches: { main: at("a") }, changes });
    expect(opened).toEqual([]);
    expect(note).toContain("It goes into `main`");
    expect(note).toContain("It is no draft");
  });

  it("says nothing about a change that existed before: a person may have marked it as ready", async () => {
    const changes = [aChange({ headRef: branch, baseRef: "feature", draft: false })];
    const { note } = await conclude({ branches: { feature: at("f") }, changes, checkout: { newBranch: undefined } });
    expect(note).toBeUndefined();
  });
});
