import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../api/kinds.ts";
import { shouldReport } from "./report/decide.ts";
import { decideSameRequest, sameRequest } from "./same-request.ts";
import { patchedStatus, phaseOf } from "./status.ts";
import { aTask, anIntegration, facts, noon, type TaskOverrides } from "./testing.ts";

const triggers = [
  { name: "mention", mention: {} },
  { name: "label", label: { name: "agent" } },
  { name: "assigned", assignment: { login: "bot-user" } },
];
const created = noon.toISOString();
const later = (seconds: number): string => new Date(noon.getTime() + seconds * 1_000).toISOString();

type Cause = "opened" | "label" | "assignment";

/** The task that an issue with a mention, its label or its assignment created. */
function aTaskOf(cause: Cause, over: TaskOverrides & { after?: number } = {}): AgentTask {
  const { after = 1, source, ...rest } = over;
  const names = { opened: "mention", label: "label", assignment: "assigned" };
  return aTask({
    name: cause,
    conditions: ["Authorized"],
    ...rest,
    source: {
      event: "issues",
      action: cause === "opened" ? "opened" : "labeled",
      trigger: names[cause],
      cause: `${cause}/4200`,
      subject: { type: "Issue", key: "acme/shop#42", number: 42, createdAt: created },
      object: { type: "Issue", id: "4200" },
      occurredAt: cause === "opened" ? created : later(after),
      ...source,
    },
  });
}

/** Reconciles the tasks in this order until nothing changes; each admitted task is admitted after the step. */
function settle(tasks: AgentTask[], spec: object[] = triggers): AgentTask[] {
  const integration = anIntegration({ triggers: spec });
  return tasks.reduce<AgentTask[]>((all, _next, index) => {
    const task = all[index];
    if (!task || !sameRequest.concerns(facts({ task, tasks: all, integration }), noon)) return all;
    const decision = decideSameRequest(facts({ task, tasks: all, integration }));
    return all.with(index, { ...task, status: patchedStatus(task, decision, noon) });
  }, tasks);
}

const phases = (tasks: AgentTask[]): Record<string, string> =>
  Object.fromEntries(tasks.map((task) => [task.metadata.name, phaseOf(task)]));

describe("an issue that is opened with a mention and the label of a trigger", () => {
  it.each([
    [["opened", "label", "assignment"]],
    [["label", "opened", "assignment"]],
    [["assignment", "label", "opened"]],
  ] as const)("creates one run in whatever order its events are handled: %j", (order) => {
    const settled = settle(order.map((cause) => aTaskOf(cause)));
    expect(phases(settled)).toEqual({ opened: "Queued", label: "Duplicate", assignment: "Duplicate" });
  });

  it("lets the task of the trigger run that the spec names first, although the issue was opened before it was labelled", () => {
    const tasks = [aTaskOf("opened"), aTaskOf("label"), aTaskOf("assignment")];
    expect(phases(settle(tasks, triggers.toReversed()))).toEqual({
      opened: "Duplicate",
      label: "Duplicate",
      assignment: "Queued",
    });
  });

  it("lets the task run that was admitted first, whatever the order of the triggers", () => {
    const admitted = aTaskOf("label", { conditions: ["Authorized", "Admitted"] });
    expect(phases(settle([aTaskOf("opened"), admitted]))).toEqual({ opened: "Duplicate", label: "Preparing" });
  });

  it("ends the later task with a pointer to the first, and posts no report for it", () => {
    const first = aTaskOf("opened", { status: { report: { url: "https://github.com/acme/shop/issues/42#1" } } });
    const [, second] = settle([first, aTaskOf("label")]);
    expect(second?.status?.conditions?.at(-1)).toMatchObject({
      type: "Succeeded",
      status: "True",
      reason: "Duplicate",
      message: "Task opened already does what this asks for: https://github.com/acme/shop/issues/42#1.",
    });
    expect(second && shouldReport(second)).toBe(false);
    const posted = aTaskOf("label", { status: { report: { intent: "task:1", id: "7" } } });
    expect(settle([first, posted]).map(shouldReport)).toEqual([true, true]);
  });

  it("also counts a task that ended meanwhile, because a delivery may be late", () => {
    const over = aTaskOf("opened", { conditions: ["Authorized", "Admitted", "Succeeded"] });
    expect(phases(settle([over, aTaskOf("label")]))).toMatchObject({ label: "Duplicate" });
  });

  it.each<[string, AgentTask]>([
    ["was refused", aTaskOf("opened", { conditions: [{ type: "Authorized", status: "False" }] })],
    ["is not authorised yet", aTaskOf("opened", { conditions: [] })],
    [
      "was stopped before it ran",
      aTaskOf("opened", { conditions: ["Authorized", { type: "Succeeded", status: "False", reason: "Cancelled" }] }),
    ],
    ["is about another issue", aTaskOf("opened", { source: { object: { type: "Issue", id: "4300" } } })],
    ["is a command", aTaskOf("opened", { spec: { command: "status" } })],
    [
      "belongs to another integration",
      aTaskOf("opened", { spec: { integrationRef: { kind: "GitHubIntegration", name: "other" } } }),
    ],
    ["is a comment", aTaskOf("opened", { source: { object: { type: "IssueComment", id: "4200" } } })],
  ])("lets the label's task run if the other task %s", (_what, other) => {
    expect(phases(settle([other, aTaskOf("label")]))).toMatchObject({ label: "Queued" });
  });

  it("lets a label that was added a minute later start a task of its own", () => {
    expect(phases(settle([aTaskOf("opened"), aTaskOf("label", { after: 60 })]))).toMatchObject({ label: "Queued" });
  });
});
