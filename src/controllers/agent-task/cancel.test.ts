import { describe, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import { aConnection, aThread, fakeHost } from "../../integrations/testing.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { cancel } from "./cancel.ts";
import { runSteps } from "./frame.ts";
import { reportStep } from "./report/index.ts";
import { patchedStatus } from "./status.ts";
import { asStep } from "./steps.ts";
import {
  anIntegration,
  aTask,
  facts,
  integrationOf,
  noon,
  rendered,
  shaOf,
  stepContext,
  taskCacheOf,
  taskDeps,
} from "./testing.ts";

const branch = "bellhop/42-fix";
const newId = shaOf("d");
const proposed = { attempt: 1, ref: `refs/heads/${branch}`, newId, files: 1, patchKiB: 1 };

const publishing = aTask({
  conditions: ["Authorized", "Admitted", "ContextReady", "SandboxReady"],
  spec: { cancel: { by: "kim" } },
  status: {
    attempts: [{ number: 1, podName: "p-1", podUID: "pod-1" }],
    checkout: { headRef: branch, baseRef: "main", newBranch: true },
    publish: { ref: proposed.ref, newId },
    result: { proposed },
  },
});

/** The task after one more run of the step, some time after noon, with the branch at `tip`. */
async function look(task: AgentTask, tip: string | undefined, afterMs = 0): Promise<AgentTask> {
  const now = new Date(noon.getTime() + afterMs);
  if (!cancel.concerns(facts({ task }), now)) return task;
  const { host } = fakeHost({ branches: tip === undefined ? {} : { [branch]: { sha: tip, protected: false } } });
  const connection = async () => aConnection({ codeHost: host });
  const reading = await cancel.gather(stepContext({ facts: facts({ task }), connection }));
  return { ...task, status: patchedStatus(task, cancel.decide(facts({ task }), reading, now), now) };
}

describe("a task that was stopped while it published", () => {
  it("ends without a call to the code host", async () => {
    const decision = cancel.decide(facts({ task: publishing }), { tip: undefined }, noon);
    expect(decision.conditions).toMatchObject([{ reason: "Cancelled", message: "Stopped by kim." }]);
    expect(decision.fields).toEqual({ publish: undefined });
  });

  it("names the branch and the commit of an earlier push", async () => {
    const stopped = await look(publishing, newId);
    expect(stopped.status).toMatchObject({ phase: "Cancelled", result: { proposed } });
    const seen = await look(stopped, newId);
    expect(seen.status).toMatchObject({ phase: "Cancelled", result: { proposed, branch, commit: newId } });
    expect(seen.status?.conditions?.at(-1)?.message).toBe(
      "Stopped by kim. Its work was pushed before that: `bellhop/42-fix` is at ddddddd.",
    );
    expect(await look(seen, newId)).toBe(seen);
  });

  it("looks for a push in progress for a minute, and ignores other commits", async () => {
    const stopped = await look(publishing, undefined);
    for (const tip of [undefined, shaOf("e")]) {
      const later = await look(stopped, tip, 10_000);
      expect(later.status?.result).toEqual({ proposed });
      expect((await look(later, newId, 20_000)).status?.result?.commit).toBe(newId);
    }
    expect(await look(stopped, newId, 60_000)).toBe(stopped);
  });

  it("does not look for a push if none was proposed", () => {
    const { result: _none, ...status } = publishing.status ?? {};
    const ended = { ...publishing, status: { ...status, completionTime: noon.toISOString() } };
    const conditions = patchedStatus(ended, cancel.decide(facts({ task: ended }), { tip: undefined }, noon), noon);
    expect(cancel.concerns(facts({ task: { ...ended, status: conditions } }), noon)).toBe(false);
  });

  it("adds a late push, and how to start its checks, to a final report in one more edit", async () => {
    const { clock, show, reconcile, texts } = aStoppedTask();
    await reconcile();
    await reconcile();
    expect(texts).toEqual([expect.stringMatching(/^Stopped by kim\.$/m)]);
    await clock.advance(10_000);
    show(newId);
    await reconcile();
    const task = await reconcile();
    expect(texts).toHaveLength(2);
    expect(texts[1]).toContain("`bellhop/42-fix` is at ddddddd");
    expect(texts[1]).toContain("`@bellhop approve ddddddd`");
    expect(task.status?.conditions?.find(({ type }) => type === "Reported")).toMatchObject({ status: "True" });
    await clock.advance(10_000);
    await reconcile();
    expect(texts).toHaveLength(2);
  });
});

/** The stopped task, the texts posted in its thread, and a code host that shows the branch after a call of `show`. */
function aStoppedTask() {
  const kube = createFakeClient();
  const report = { id: "7", intent: "task:x", revision: "before" };
  const first = kube.seed(AgentTaskKind, { ...publishing, status: { ...publishing.status, report } });
  const { host, state } = fakeHost();
  const clock = new FakeClock(noon);
  const texts: string[] = [];
  const thread = aThread({ update: async (_target, _message, final) => void texts.push(rendered(final)) });
  const integration = anIntegration({ reporting: { reaction: false } });
  const deps = taskDeps({
    kube,
    tasks: taskCacheOf([first]),
    findIntegration: integrationOf(async () => aConnection({ codeHost: host, thread }), integration),
    clock,
  });
  return {
    clock,
    texts,
    show: (sha: string) => (state.branches[branch] = { sha, protected: false }),
    async reconcile() {
      await runSteps(deps, [asStep(cancel), reportStep], kube.only(AgentTaskKind), AbortSignal.timeout(5_000));
      return kube.only(AgentTaskKind);
    },
  };
}
