import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import type { Pod } from "../../kube/resources.ts";
import { courierOutcome } from "../protocol/outcome.ts";
import { observePod as observeAt } from "./observe.ts";

const now = new Date("2026-01-01T01:00:00Z");
const observePod = (pod: Pod, attempt: number) => observeAt(pod, attempt, now);

const outcome = (over: object = {}): string =>
  JSON.stringify({ version: 1, attempt: 1, reason: "Published", message: "done", ...over });

const aPod = (status: object): Pod => ({
  metadata: { name: "t-sandbox-1", uid: "u1", creationTimestamp: "2026-01-01T00:00:00Z" },
  status: status,
});

const ended = (message: string | undefined, more: object = {}): Pod =>
  aPod({
    phase: "Succeeded",
    initContainerStatuses: [
      { name: "checkout", image: "b", state: { terminated: { exitCode: 0 } } },
      { name: "courier", image: "b", state: { terminated: { exitCode: 0, message } } },
    ],
    containerStatuses: [{ name: "agent", image: "a", state: { terminated: { exitCode: 0 } } }],
    ...more,
  });

const drained = {
  phase: "Failed",
  conditions: [{ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI", message: "drained" }],
};

describe("observePod", () => {
  it("trusts a valid termination message of the courier", () => {
    expect(observePod(ended(outcome()), 1)).toMatchObject({ state: "Finished", outcome: { reason: "Published" } });
  });

  it("trusts the checkout's message if the courier never ran", () => {
    const pod = aPod({
      phase: "Failed",
      initContainerStatuses: [
        {
          name: "checkout",
          image: "b",
          state: { terminated: { exitCode: 1, message: outcome({ reason: "EgressNotEnforced" }) } },
        },
      ],
    });
    expect(observePod(pod, 1)).toMatchObject({ state: "Finished", outcome: { reason: "EgressNotEnforced" } });
  });

  it("trusts the message that a courier left before it was restarted", () => {
    const pod = ended(undefined);
    pod.status!.initContainerStatuses![1]!.lastState = { terminated: { exitCode: 0, message: outcome() } };
    expect(observePod(pod, 1).state).toBe("Finished");
  });

  it.each([
    { name: "is not JSON", message: "segmentation fault" },
    { name: "belongs to another attempt", message: outcome({ attempt: 2 }) },
    { name: "has an unknown reason", message: outcome({ reason: "Perfect" }) },
    { name: "is longer than 2 KiB", message: outcome({ message: "x".repeat(2100) }) },
    { name: "is missing", message: undefined },
  ])("reports CourierLost if the termination message $name", ({ message }) => {
    expect(observePod(ended(message), 1)).toMatchObject({ state: "Broken", reason: "CourierLost", retryable: false });
  });

  it("returns only outcomes that the protocol allows, for any termination message", () => {
    const field = fc.constantFrom(
      "version",
      "attempt",
      "reason",
      "message",
      "exitCode",
      "branch",
      "commit",
      "notProbed",
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom(0, 1, 2, "Published", "NoChanges", "x".repeat(300), ["x"], '"}', "\u0000"),
    );
    const changes = fc.dictionary(field, value, { maxKeys: 2, noNullPrototype: true });
    const message = fc.oneof(
      { weight: 8, arbitrary: changes.map(outcome) },
      {
        weight: 1,
        arbitrary: fc.tuple(changes.map(outcome), fc.nat()).map(([text, at]) => text.slice(0, at % text.length)),
      },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
    );
    const seen = { Finished: 0, Broken: 0 };
    fc.assert(
      fc.property(message, (text) => {
        const found = observePod(ended(text), 1);
        if (found.state !== "Finished") return found.state === "Broken" && ++seen.Broken > 0;
        seen.Finished += 1;
        return found.outcome.attempt === 1 && courierOutcome.safeParse(found.outcome).success;
      }),
      { seed: 20_261_124, numRuns: thorough(100_000) },
    );
    expect(Math.min(seen.Finished, seen.Broken), JSON.stringify(seen)).toBeGreaterThan(thorough(5_000));
  });

  it.each([
    {
      name: "a disruption",
      pod: ended(undefined, drained),
      want: { reason: "Disrupted", retryable: true },
    },
    {
      name: "a lost node",
      pod: aPod({ phase: "Failed", reason: "NodeLost" }),
      want: { reason: "NodeLost", retryable: true },
    },
    {
      name: "a process node that was restarted",
      pod: aPod({ phase: "Failed", reason: "ProcessNodeRestarted" }),
      want: { reason: "NodeLost", retryable: true },
    },
    {
      name: "an eviction for its own limits",
      pod: aPod({ phase: "Failed", reason: "Evicted", message: "emptyDir exceeds its limit" }),
      want: { reason: "Evicted", retryable: false },
    },
    {
      name: "a deadline",
      pod: aPod({ phase: "Failed", reason: "DeadlineExceeded" }),
      want: { reason: "WallClockExceeded", retryable: false },
    },
    {
      name: "memory",
      pod: ended(outcome({ reason: "AgentFailed" }), {
        containerStatuses: [
          { name: "agent", image: "a", state: { terminated: { exitCode: 137, reason: "OOMKilled" } } },
        ],
      }),
      want: { reason: "OOMKilled", retryable: false },
    },
  ])("says whether $name may be tried again", ({ pod, want }) => {
    expect(observePod(pod, 1)).toMatchObject({ state: "Broken", ...want });
  });

  it.each(["Published", "NoChanges", "AgentFailed", "WallClockExceeded", "OutputRefused"])(
    "does not repeat work that ended with %s before its pod was removed",
    (reason) => {
      for (const more of [drained, { phase: "Failed", reason: "Terminated", message: "node shutdown" }]) {
        expect(observePod(ended(outcome({ reason }), more), 1)).toMatchObject({
          state: "Finished",
          outcome: { reason },
        });
      }
    },
  );

  it.each([
    "Stopped",
    "CheckoutFailed",
    "AgentStillWriting",
    "WorkspaceUnreadable",
    "PublishUnreachable",
    "BrokerUnreachable",
    "InternalError",
  ])("retries work that ended with %s because its pod was removed", (reason) => {
    const pod = ended(outcome({ reason }), drained);
    expect(observePod(pod, 1)).toMatchObject({ state: "Broken", reason: "Disrupted", retryable: true });
  });

  it.each([
    { reason: "Evicted", message: 'Usage of EmptyDir volume "workspace" exceeds the limit "16Mi".' },
    { reason: "DeadlineExceeded", want: "WallClockExceeded" },
  ])("reports the reason ($reason) for which a courier was stopped with its pod", ({ want, ...status }) => {
    const pod = ended(outcome({ reason: "Stopped" }), { phase: "Failed", ...status });
    const message = expect.stringContaining(status.message ?? "") as string;
    expect(observePod(pod, 1)).toMatchObject({
      state: "Broken",
      reason: want ?? status.reason,
      message,
      retryable: false,
    });
  });

  it("reports OOMKilled if a container ran out of memory before the pod was removed", () => {
    const containerStatuses = [
      { name: "agent", image: "a", state: { terminated: { exitCode: 137, reason: "OOMKilled" } } },
    ];
    const pod = ended(outcome({ reason: "AgentFailed" }), { ...drained, containerStatuses });
    expect(observePod(pod, 1)).toMatchObject({ state: "Broken", reason: "OOMKilled", retryable: false });
  });

  it("reports what a pod waits for", () => {
    const waiting = (reason: string): Pod =>
      aPod({
        phase: "Pending",
        containerStatuses: [{ name: "agent", image: "a:1", state: { waiting: { reason, message: "no such image" } } }],
      });
    expect(observePod(waiting("ImagePullBackOff"), 1)).toMatchObject({
      state: "Pending",
      reason: "ImageUnavailable",
      message: "a:1: no such image",
    });
    expect(observePod(waiting("InvalidImageName"), 1)).toMatchObject({
      state: "Broken",
      reason: "ImageUnavailable",
      retryable: false,
    });
    const unscheduled = aPod({
      phase: "Pending",
      conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available" }],
    });
    expect(observePod(unscheduled, 1)).toMatchObject({
      state: "Pending",
      reason: "Unschedulable",
      message: "0/3 nodes are available",
    });
  });

  it("is Running while the agent runs, and while the courier still reads the agent's output", () => {
    const running = aPod({
      phase: "Running",
      containerStatuses: [{ name: "agent", image: "a", state: { running: { startedAt: "2026-01-01T00:00:05Z" } } }],
    });
    expect(observePod(running, 1)).toEqual({ state: "Running", podUID: "u1", since: "2026-01-01T00:00:05Z" });
    const reading = aPod({
      phase: "Running",
      containerStatuses: [
        { name: "agent", image: "a", state: { terminated: { exitCode: 0, startedAt: "2026-01-01T00:00:05Z" } } },
      ],
    });
    expect(observePod(reading, 1).state).toBe("Running");
  });

  it("reports a lost node if a pod does not end long after its deletion, but not while the pod may still end", () => {
    const leaving = (deletionTimestamp: string): Pod => {
      const pod = aPod({
        phase: "Running",
        containerStatuses: [{ name: "agent", image: "a", state: { running: { startedAt: "2026-01-01T00:00:05Z" } } }],
      });
      return { ...pod, metadata: { ...pod.metadata, deletionTimestamp } };
    };
    expect(observePod(leaving("2026-01-01T00:58:00Z"), 1)).toMatchObject({
      state: "Broken",
      reason: "NodeLost",
      retryable: true,
    });
    expect(observePod(leaving("2026-01-01T01:01:00Z"), 1).state).toBe("Running");
  });
});
