import { describe, expect, it } from "vitest";
import { agentTaskStatus } from "../../api/agent-task-status.ts";
import type { AgentProfile } from "../../api/kinds.ts";
import type { SandboxState } from "../../sandbox/provider.ts";
import { cancel } from "./cancel.ts";
import { admit } from "./admit.ts";
import { cleanup, type CleanupAction, type CleanupReading } from "./cleanup.ts";
import { defaultConfig } from "./config.ts";
import type { Decision } from "./facts.ts";
import { endedByOperator, follow } from "./follow.ts";
import { sandbox } from "./sandbox.ts";
import { patchedStatus } from "./status.ts";
import { aProfile, aTask, facts, noon, type TaskOverrides } from "./testing.ts";

const podUID = "pod-1";
const config = { maxAttempts: 3, publishBudgetMs: 120_000, notIsolated: [], closed: true };
const atWork: TaskOverrides = { conditions: ["Authorized", "Admitted", "ContextReady"] };

function running(over: TaskOverrides = {}, attempt: object = {}): ReturnType<typeof aTask> {
  const attempts = [{ number: 1, podName: "p-1", podUID, startedAt: noon.toISOString(), ...attempt }];
  return aTask({ ...atWork, ...over, status: { startTime: noon.toISOString(), attempts, ...over.status } });
}

function outcome(over: object = {}): SandboxState {
  const message = { version: 1, attempt: 1, reason: "NoChanges", message: "nothing to do", ...over } as const;
  return { state: "Finished", podUID, outcome: message };
}

const guardrails = { images: ["allowed/*"] };

/** The status of a profile between a change of its spec and the next reconcile. */
function approvedOnce(profile: AgentProfile): AgentProfile {
  const lastTransitionTime = noon.toISOString();
  const ready = {
    type: "Ready",
    status: "True",
    reason: "Ready",
    message: "Tasks may use it.",
    lastTransitionTime,
  } as const;
  return { ...profile, status: { observedGeneration: 1, conditions: [ready] } };
}

function watch(
  state: SandboxState,
  { afterMs = 0, task = running() } = {},
): Decision<unknown> & { succeeded?: unknown } {
  const decision = follow.decide(facts({ task, sandbox: state }), config, new Date(noon.getTime() + afterMs));
  return { ...decision, succeeded: decision.conditions?.find(({ type }) => type === "Succeeded") };
}

describe("follow", () => {
  it.each<{ name: string; state: SandboxState; afterMs?: number; status: string; reason: string; message: RegExp }>([
    { name: "succeeds without changes", state: outcome(), status: "True", reason: "NoChanges", message: /nothing/ },
    {
      name: "fails with the courier's reason",
      state: outcome({ reason: "AgentFailed", message: "exit 3" }),
      status: "False",
      reason: "AgentFailed",
      message: /exit 3/,
    },
    {
      name: "does not trust a reported push that was not allowed",
      state: outcome({ reason: "Published" }),
      status: "False",
      reason: "PublishNotVerified",
      message: /host/,
    },
    {
      name: "does not accept a result of another attempt",
      state: outcome({ attempt: 2 }),
      status: "False",
      reason: "OutcomeInvalid",
      message: /attempt 2/,
    },
    {
      name: "does not accept another pod of the same name",
      state: { state: "Running", podUID: "pod-2", since: noon.toISOString() },
      status: "False",
      reason: "SandboxLost",
      message: /replaced/,
    },
    {
      name: "fails when a pod waits longer than the profile allows, with the pod's own message",
      state: { state: "Pending", podUID, message: "0/3 nodes are available", since: noon.toISOString() },
      afterMs: 600_000,
      status: "False",
      reason: "SandboxPending",
      message: /within 10m: 0\/3 nodes/,
    },
    {
      name: "ends a sandbox that does not keep the time limit itself",
      state: { state: "Running", podUID, since: noon.toISOString() },
      afterMs: 3_600_000 + 120_000,
      status: "False",
      reason: "WallClockExceeded",
      message: /did not end by itself/,
    },
    {
      name: "fails without a retry if the pod failed by its own fault",
      state: { state: "Broken", podUID, reason: "OOMKilled", message: "out of memory", retryable: false },
      status: "False",
      reason: "OOMKilled",
      message: /memory/,
    },
    {
      name: "fails if the pod disappeared",
      state: { state: "Missing" },
      afterMs: 60_000,
      status: "False",
      reason: "SandboxLost",
      message: /by force/,
    },
  ])("$name", ({ state, afterMs = 0, status, reason, message }) => {
    const { succeeded } = watch(state, { afterMs });
    expect(succeeded).toMatchObject({ status, reason, message: expect.stringMatching(message) });
  });

  it("waits for a pod that the cache does not show yet", () => {
    expect(watch({ state: "Missing" }, { afterMs: 59_000 })).toMatchObject({
      succeeded: undefined,
      requeueAfterMs: 10_000,
    });
  });

  it("shows what a pod waits for, and checks again when its time is up", () => {
    const decision = watch(
      { state: "Pending", podUID, message: "pulling", since: noon.toISOString() },
      { afterMs: 1_000 },
    );
    expect(decision.conditions?.[0]).toMatchObject({ status: "False", reason: "Pending", message: /pulling/ });
    expect(decision.requeueAfterMs).toBe(599_000);
  });

  const lost: SandboxState = { state: "Broken", podUID, reason: "NodeLost", message: "node gone", retryable: true };

  it("retries after a lost node, and removes the old pod", () => {
    const decision = watch(lost);
    expect(decision).toMatchObject({ succeeded: undefined, actions: [{ attempt: 1 }] });
    expect(decision.fields?.attempts).toMatchObject([{ number: 1, podUID, reason: "NodeLost" }]);
  });

  it("makes at most three attempts", () => {
    const attempts = [1, 2, 3].map((number) => ({ number, podName: `p-${number}`, podUID }));
    const { succeeded } = watch(lost, { task: running({ status: { attempts } }) });
    expect(succeeded).toMatchObject({ reason: "NodeLost", message: expect.stringMatching(/All 3 attempts failed/) });
  });

  it("does not retry when the time limit of all attempts together is reached", () => {
    expect(watch(lost, { afterMs: 3_600_000 }).succeeded).toMatchObject({ status: "False", reason: "NodeLost" });
  });

  it("ends a task and its sandbox at once if its network was opened while the agent ran", () => {
    const state: SandboxState = { state: "Running", podUID, since: noon.toISOString() };
    const task = running();
    const decision = follow.decide(facts({ task, sandbox: state }), { ...config, closed: false }, noon);
    expect(decision.conditions?.at(-1)).toMatchObject({ status: "False", reason: "NetworkPolicyChanged" });
    expect(endedByOperator({ ...task, status: patchedStatus(task, decision, noon) })).toBe(true);
  });

  it("leaves the end to the publish step once a push was allowed", () => {
    const publish = { ref: "refs/heads/x", newId: "a".repeat(40) };
    expect(follow.concerns(facts({ task: running() }), noon)).toBe(true);
    expect(follow.concerns(facts({ task: running({ status: { publish } }) }), noon)).toBe(false);
  });
});

describe("sandbox", () => {
  const decide = (task: ReturnType<typeof aTask>, afterMs = 0): Decision<{ attempt: number }> =>
    sandbox.decide(facts({ task }), { podName: "next" }, new Date(noon.getTime() + afterMs));

  it("writes the attempt before the pod is created", () => {
    const decision = decide(aTask(atWork));
    expect(decision.fields).toEqual({ attempts: [{ number: 1, podName: "next" }] });
    expect(decision.actions).toEqual([{ attempt: 1 }]);
  });

  it("creates the pod of a written attempt again, and no second attempt, after a crash", () => {
    const task = running({}, { podUID: undefined });
    expect(sandbox.concerns(facts({ task }), noon)).toBe(true);
    expect(decide(task)).toMatchObject({ actions: [{ attempt: 1 }] });
    expect(decide(task).fields).toBeUndefined();
  });

  it("does nothing while the attempt's pod exists", () => {
    expect(sandbox.concerns(facts({ task: running() }), noon)).toBe(false);
  });

  it("adds a further attempt and keeps the first start time, so that the time limit covers all attempts", () => {
    const decision = decide(running({}, { reason: "NodeLost" }), 1_000);
    expect(decision.fields?.attempts).toMatchObject([{ number: 1 }, { number: 2 }]);
    expect(patchedStatus(running(), decision, noon).startTime).toBe(noon.toISOString());
  });

  it.each([
    ["the first", aTask(atWork)],
    ["the next", running({}, { reason: "NodeLost" })],
    ["one that was written before", running({}, { podUID: undefined })],
  ])("creates no pod if the profile was changed to something that is not allowed, neither %s", (_name, task) => {
    const decision = sandbox.decide(
      facts({ task, profile: approvedOnce(aProfile()), guardrails }),
      { podName: "next" },
      noon,
    );
    expect(decision).toEqual({
      conditions: [expect.objectContaining({ type: "SandboxReady", status: "False", reason: "ProfileNotReady" })],
      requeueAfterMs: 15_000,
    });
  });

  it("ends the task instead when its time limit is reached", () => {
    const task = running({ spec: { limits: { wallClock: "5m" } } }, { reason: "NodeLost" });
    expect(decide(task, 300_000).conditions).toMatchObject([{ type: "Succeeded", reason: "WallClockExceeded" }]);
  });
});

describe("cancel and admit", () => {
  it("ends a stopped task, shows who stopped it and why, and withdraws the permission to push", () => {
    const publish = { ref: "refs/heads/x", newId: "a".repeat(40) };
    const task = running({ spec: { cancel: { by: "kim", reason: "wrong repository" } }, status: { publish } });
    const decision = cancel.decide(facts({ task }), { tip: undefined }, noon);
    expect(decision.conditions).toMatchObject([{ reason: "Cancelled", message: "Stopped by kim: wrong repository." }]);
    expect(patchedStatus(task, decision, noon)).toMatchObject({ phase: "Cancelled", publish: undefined });
  });

  it("accepts a stop from the thread as well", () => {
    const task = running({ status: { requests: [{ type: "stop", by: "ana", from: "stop-1" }] } });
    expect(cancel.concerns(facts({ task }), noon)).toBe(true);
  });

  it("shows how many tasks are ahead and since when it waits, and keeps that time", () => {
    const task = aTask({ conditions: ["Authorized"], status: { queue: { position: 9, limit: "x", since: "then" } } });
    const admission = {
      state: "Waiting",
      position: 3,
      limit: "at most 5 tasks run at once",
      reason: "Queued",
    } as const;
    const decision = admit.decide(facts({ task, admission }), undefined, noon);
    expect(decision.conditions).toMatchObject([
      { status: "False", reason: "Queued", message: "Queued, 3 ahead: at most 5 tasks run at once." },
    ]);
    expect(decision.fields?.queue).toEqual({ position: 3, limit: "at most 5 tasks run at once", since: "then" });
    expect(patchedStatus(task, decision, noon).phase).toBe("Queued");
  });

  it("stays within the schema, however long the name in the limit is", () => {
    const limit = `at most 1 task of @${"x".repeat(253)} runs at once`;
    const admission = { state: "Waiting", position: 3, limit, reason: "Queued" } as const;
    const decision = admit.decide(facts({ admission }), undefined, noon);
    expect(agentTaskStatus.safeParse({ queue: { ...decision.fields?.queue, since: noon.toISOString() } }).error).toBe(
      undefined,
    );
  });

  it("admits no task whose profile is missing or not ready, and keeps no place in the queue for it", () => {
    const queue = { position: 3, limit: "x", since: "then" };
    const task = aTask({ conditions: ["Authorized"], status: { queue } });
    const admission = { state: "Admitted" } as const;
    for (const profile of [undefined, approvedOnce(aProfile())]) {
      const decision = admit.decide(facts({ task, profile, guardrails, admission }), undefined, noon);
      expect(decision.conditions).toMatchObject([{ status: "False", reason: "ProfileNotReady" }]);
      expect(patchedStatus(task, decision, noon)).not.toMatchObject({ queue });
    }
  });
});

describe("clean-up", () => {
  const dayMs = 24 * 3_600_000;
  const { retention } = defaultConfig;
  const succeeded = running({ conditions: ["Succeeded"], status: { completionTime: noon.toISOString() } });
  const failed = running({
    conditions: [{ type: "Succeeded", status: "False", reason: "AgentFailed" }],
    status: { completionTime: noon.toISOString() },
  });

  function decide(
    task: typeof failed,
    afterMs: number,
    reading: Partial<CleanupReading> = {},
  ): Decision<CleanupAction> {
    const base = { pods: [{ attempt: 1, state: outcome() }], holdsTokens: false, retention };
    return cleanup.decide(facts({ task }), { ...base, ...reading }, new Date(noon.getTime() + afterMs));
  }

  const gone = [
    { do: "removePod", attempt: 1 },
    { do: "harvest", attempt: 1 },
  ];

  it("releases a pod once its result is written, and removes it an hour later, or a day later if it failed", () => {
    expect(decide(succeeded, 0)).toMatchObject({ actions: [{ do: "harvest" }], requeueAfterMs: 3_600_000 });
    expect(decide(succeeded, 3_600_000).actions).toEqual(gone);
    expect(decide(failed, 3_600_000).actions).toEqual([{ do: "harvest", attempt: 1 }]);
    expect(decide(failed, dayMs).actions).toEqual(gone);
  });

  it("revokes the tokens of a task that is over after its final report, or ten minutes after its end", () => {
    const revokes = (task: ReturnType<typeof aTask>, passedMs: number): boolean =>
      (decide(task, passedMs, { pods: [], holdsTokens: true }).actions ?? []).some(({ do: what }) => what === "revoke");
    const ended = { status: { completionTime: noon.toISOString() } };
    expect(revokes(succeeded, 0)).toBe(false);
    expect(decide(succeeded, 0, { pods: [], holdsTokens: true }).requeueAfterMs).toBe(600_000);
    expect(revokes(succeeded, 600_000)).toBe(true);
    expect(revokes(aTask({ conditions: ["Authorized", "Succeeded", "Reported"], ...ended }), 0)).toBe(true);
    const withKubectl = aTask({
      conditions: ["Authorized", "Succeeded"],
      source: { provider: "kubernetes" },
      ...ended,
    });
    expect(revokes(withKubectl, 0)).toBe(true);
  });

  it("removes the pod of a stopped task at once, and gives a courier that published a minute to end", () => {
    const live = { pods: [{ attempt: 1, state: { state: "Running", podUID, since: "" } as const }] };
    const stopped = running({
      conditions: [{ type: "Succeeded", status: "False", reason: "Cancelled" }],
      status: { completionTime: noon.toISOString() },
    });
    expect(decide(stopped, 0, live).actions).toEqual(gone);
    expect(decide(succeeded, 0, live)).toMatchObject({ actions: [], requeueAfterMs: 60_000 });
    expect(decide(succeeded, 60_000, live).actions).toEqual(gone);
  });

  it("deletes a task after seven days, but not while its change is open", () => {
    const none = { pods: [] };
    expect(decide(succeeded, 7 * dayMs - 1, none)).toMatchObject({ actions: [], requeueAfterMs: 1 });
    expect(decide(succeeded, 7 * dayMs, none).actions).toEqual([{ do: "deleteTask" }]);
    expect(decide(succeeded, 7 * dayMs, { ...none, change: "Open" }).actions).toEqual([]);
    expect(decide(succeeded, 7 * dayMs, { ...none, change: "Merged" }).actions).toEqual([{ do: "deleteTask" }]);
  });
});

/** A task whose first attempt has proposed a push, and whose newest attempt has this number. */
function proposing(newest: number): TaskOverrides {
  const attempts = Array.from({ length: newest }, (_, n) => ({ number: n + 1, podName: `p-${n + 1}` }));
  const proposed = { attempt: 1, ref: "r", newId: "a", files: 1, patchKiB: 1 };
  return { conditions: ["Authorized", "Admitted"], status: { attempts, result: { proposed } } };
}

describe("the phase", () => {
  it.each<{ phase: string; task: TaskOverrides }>([
    { phase: "Pending", task: {} },
    { phase: "Queued", task: { conditions: ["Authorized"] } },
    { phase: "Preparing", task: { conditions: ["Authorized", "Admitted"] } },
    { phase: "Running", task: { conditions: ["Authorized", "Admitted", "ContextReady", "SandboxReady"] } },
    { phase: "Succeeded", task: { conditions: ["Succeeded"] } },
    { phase: "Failed", task: { conditions: [{ type: "Succeeded", status: "False", reason: "X" }] } },
    { phase: "Refused", task: { conditions: [{ type: "Authorized", status: "False" }] } },
    { phase: "Cancelled", task: { conditions: [{ type: "Succeeded", status: "False", reason: "Cancelled" }] } },
    { phase: "Delivered", task: { conditions: [{ type: "Succeeded", reason: "Delivered" }] } },
    {
      phase: "Publishing",
      task: { conditions: ["Authorized", "Admitted"], status: { publish: { ref: "r", newId: "a" } } },
    },
    { phase: "Publishing", task: proposing(1) },
    { phase: "Preparing", task: proposing(2) },
    { phase: "Pending", task: { spec: { command: "help" } } },
    { phase: "Running", task: { spec: { command: "help" }, conditions: ["Authorized"] } },
  ])("is $phase for $task", ({ phase, task }) => {
    expect(patchedStatus(aTask(task), {}, noon).phase).toBe(phase);
  });

  it("records the completion time once", () => {
    const first = patchedStatus(aTask({ conditions: ["Succeeded"] }), {}, noon);
    const again = patchedStatus({ ...aTask(), status: first }, {}, new Date(noon.getTime() + 5_000));
    expect(again).toEqual(first);
  });
});
