import { describe, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../../../api/kinds.ts";
import type { ThreadWrite } from "../../../integrations/connection.ts";
import { aConnection, aThread } from "../../../integrations/testing.ts";
import { createFakeClient } from "../../../kube/testing.ts";
import type { Result } from "../../../kube/types.ts";
import { runSteps } from "../frame.ts";
import { anIntegration, aTask, integrationOf, noon, rendered, taskDeps, type TaskOverrides } from "../testing.ts";
import { reportStep } from "./index.ts";

/** A task on an API server, and a thread whose pace lets calls wait as the test says. */
function aWorld(given: TaskOverrides) {
  const kube = createFakeClient();
  kube.seed(AgentTaskKind, aTask(given));
  const sent: string[] = [];
  const asked: ThreadWrite[] = [];
  const pace = { waitMs: 0 };
  const thread = aThread({
    turn: (_target, write) => (asked.push(write), pace.waitMs),
    acknowledge: async () => void sent.push("reaction"),
    post: async () => ({ id: String(sent.push("post")), url: "https://x" }),
    update: async (_target, _message, report) => void sent.push(rendered(report).split("\n")[0] ?? ""),
  });
  const integration = anIntegration({ reporting: { updateEvery: "1s" } });
  const recorded: string[] = [];
  const record = (_task: unknown, reason: string): void => void recorded.push(reason);
  const deps = taskDeps({
    kube,
    findIntegration: integrationOf(async () => aConnection({ thread }), integration),
    events: { normal: record, warning: record },
  });
  return {
    sent,
    recorded,
    asked,
    pace,
    task: (): AgentTask => kube.only(AgentTaskKind),
    writes: () => kube.calls.filter(({ verb }) => verb === "replaceStatus").length,
    change: (status: NonNullable<AgentTask["status"]>) =>
      kube.seed(AgentTaskKind, { ...kube.only(AgentTaskKind), status }),
    look: (): Promise<Result> => runSteps(deps, [reportStep], kube.only(AgentTaskKind), AbortSignal.timeout(5_000)),
  };
}

const started: NonNullable<AgentTask["status"]> = {
  report: { id: "7", reacted: true, intent: "task:x", revision: "before", toldAt: noon.toISOString() },
};
const earlier = new Date(noon.getTime() - 60_000).toISOString();
const edited = { ...started, report: { ...started.report, toldAt: earlier } };
const statusOf = (...conditions: NonNullable<TaskOverrides["conditions"]>): NonNullable<AgentTask["status"]> =>
  aTask({ conditions }).status ?? {};
const over = { type: "Succeeded", reason: "NoChanges" } as const;

describe("a report while the pace permits no write", () => {
  it.each<[string, TaskOverrides]>([
    ["a reaction", {}],
    ["the first post", { conditions: ["Authorized"], status: { report: { reacted: true } } }],
    ["an edit", { conditions: ["Authorized"], status: edited }],
  ])("waits without a write to GitHub or to the API server: %s", async (_name, given) => {
    const { sent, pace, writes, look } = aWorld(given);
    pace.waitMs = 7_000;
    expect(await look()).toEqual({ requeueAfterMs: 7_000 });
    expect(await look()).toEqual({ requeueAfterMs: 7_000 });
    expect(sent).toEqual([]);
    expect(writes()).toBe(0);
  });

  it("merges the edits that wait into one, with the newest text", async () => {
    const { sent, pace, task, look, change } = aWorld({ conditions: ["Authorized"], status: edited });
    pace.waitMs = 7_000;
    for (const type of ["Admitted", "ContextReady", "SandboxReady"] as const) {
      change({ ...task().status, ...statusOf("Authorized", type) });
      await look();
    }
    change({ ...task().status, ...statusOf("Authorized", over) });
    await look();
    expect(sent).toEqual([]);
    pace.waitMs = 0;
    await look();
    expect(sent).toEqual([expect.stringContaining("**Done**")]);
  });

  it("names the kind of write, so that reactions, first posts, final reports and questions go before edits", async () => {
    const { asked, look, change, task } = aWorld({});
    await look();
    await look();
    change({ ...task().status, ...edited, ...statusOf("Authorized", over) });
    await look();
    expect(asked).toMatchObject([{ do: "acknowledge" }, { do: "post" }, { do: "update", report: { over: true } }]);
  });
});

describe("a report that was given up", () => {
  it("is posted when the thread takes it again, hours after the end", async () => {
    const ago = (hours: number): string => new Date(noon.getTime() - hours * 3_600_000).toISOString();
    const gaveUp = { type: "Reported", status: "False", reason: "GaveUp", message: "the channel is archived" } as const;
    const report = { ...started.report, failures: 99, toldAt: ago(2), lastError: "the channel is archived" };
    const { sent, recorded, task, look } = aWorld({
      conditions: ["Authorized", over, gaveUp],
      status: { report, completionTime: ago(9) },
    });
    await look();
    expect(sent).toEqual([expect.stringContaining("**Done**")]);
    await look();
    expect(task().status?.conditions).toContainEqual(expect.objectContaining({ type: "Reported", reason: "Told" }));
    expect(recorded).toEqual(["ReportPosted"]);
    expect(task().status?.report?.lastError).toBeUndefined();
  });
});
