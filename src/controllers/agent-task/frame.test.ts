import { beforeEach, describe, expect, it } from "vitest";
import type { AgentTask } from "../../api/kinds.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { ApiError } from "../../kube/errors.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import type { AgentTaskDeps } from "./deps.ts";
import type { Decision, StatusPatch } from "./facts.ts";
import { runSteps } from "./frame.ts";
import { asStep, type AnyStep } from "./steps.ts";
import { aTask, noon, taskCacheOf } from "./testing.ts";

let log: string[];
let written: AgentTask[];
let refuseWrites: boolean;
let deps: AgentTaskDeps;

beforeEach(() => {
  log = [];
  written = [];
  refuseWrites = false;
  deps = {
    kube: {
      replaceStatus: async (_type: unknown, task: AgentTask) => {
        if (refuseWrites) throw new ApiError({ status: 409, reason: "Conflict", message: "newer" });
        written.push(task);
        log.push("write");
        return task;
      },
    },
    tasks: taskCacheOf([]),
    profiles: { get: () => undefined },
    admission: { verdict: () => ({ state: "Unknown" }) },
    findIntegration: () => undefined,
    events: { normal: () => {}, warning: () => {} },
    clock: new FakeClock(noon),
    config: { guardrails: { images: [] } },
    log: silentLogger,
  } as unknown as AgentTaskDeps;
});

interface StepSketch {
  name: string;
  decision?: Decision<string>;
  fails?: unknown;
  always?: boolean;
  answers?: StatusPatch;
}

function step({ name, decision = {}, fails, always = false, answers }: StepSketch): AnyStep {
  return asStep<undefined, string>({
    name,
    condition: "Authorized",
    always,
    concerns: () => true,
    async gather() {
      log.push(name);
      if (fails !== undefined) throw fails;
      return undefined;
    },
    decide: () => decision,
    async apply(_context, action) {
      log.push(`${name}:${action}`);
      return answers;
    },
  });
}

const go = (steps: AnyStep[], task = aTask()): Promise<object> =>
  runSteps(deps, steps, task, new AbortController().signal);
const authorized = { type: "Authorized", status: "True", reason: "Test", message: "yes" } as const;

describe("the frame", () => {
  it("writes before it acts, and what the action answers after", async () => {
    await go([
      step({
        name: "a",
        decision: { conditions: [authorized], actions: ["act"] },
        answers: { fields: { startTime: "t" } },
      }),
    ]);
    expect(log).toEqual(["a", "write", "a:act", "write"]);
    expect(written.at(-1)?.status).toMatchObject({ phase: "Queued", startTime: "t" });
  });

  it("writes nothing where nothing changes", async () => {
    await go([step({ name: "a", decision: { conditions: [authorized] } })]);
    log = [];
    await go([step({ name: "a", decision: { conditions: [authorized] } })], written[0]);
    expect(log).toEqual(["a"]);
  });

  it("looks again at the earliest of what the steps ask", async () => {
    const steps = [9_000, 3_000, 5_000].map((requeueAfterMs, n) =>
      step({ name: `${n}`, decision: { requeueAfterMs } }),
    );
    expect(await go(steps)).toEqual({ requeueAfterMs: 3_000 });
  });

  it("does not ask without a pause where a provider says to come back at once", async () => {
    const atOnce = new ProviderError("Unavailable", "GitHub is away.", { retryAfterMs: 0 });
    expect(await go([step({ name: "a", fails: atOnce })])).toEqual({ requeueAfterMs: 1_000 });
  });

  it("leaves out what comes after a failure, but for what always runs, and shows why once", async () => {
    const limited = new ProviderError("RateLimited", "GitHub asks for patience.", { retryAfterMs: 7_000 });
    const steps = [step({ name: "a", fails: limited }), step({ name: "b" }), step({ name: "c", always: true })];
    expect(await go(steps)).toEqual({ requeueAfterMs: 7_000 });
    expect(log).toEqual(["a", "write", "c"]);
    expect(written[0]?.status?.conditions?.[0]).toMatchObject({ status: "Unknown", reason: "RateLimited" });
    log = [];
    const again = new ProviderError("RateLimited", "Other words.", { retryAfterMs: 7_000 });
    await go([step({ name: "a", fails: again })], written[0]);
    expect(log).toEqual(["a"]);
  });

  it("backs off where the provider names no time, and keeps a verdict that stands", async () => {
    const away = new ProviderError("Unavailable", "502");
    const task = aTask({ conditions: ["Authorized"] });
    await expect(go([step({ name: "a", fails: away })], task)).rejects.toBe(away);
    expect(written).toEqual([]);
  });

  it("does nothing more on facts that are out of date, not even what always runs", async () => {
    refuseWrites = true;
    const steps = [
      step({ name: "a", decision: { conditions: [authorized], actions: ["act"] } }),
      step({ name: "b", always: true, decision: { actions: ["act"] } }),
    ];
    await expect(go(steps)).rejects.toThrow("newer");
    expect(log).toEqual(["a"]);
  });
});
