import { beforeEach, describe, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { failure } from "../../kube/memory/testing.ts";
import { createFakeClient, type FakeClient } from "../../kube/testing.ts";
import type { AgentTaskDeps } from "./deps.ts";
import type { Decision, StatusPatch } from "./facts.ts";
import { runSteps } from "./frame.ts";
import { asStep, type AnyStep, type StepContext } from "./steps.ts";
import { aTask, taskDeps } from "./testing.ts";

let log: string[];
let written: AgentTask[];
let refuseWrites: boolean;
let kube: FakeClient;
let deps: AgentTaskDeps;

beforeEach(() => {
  log = [];
  written = [];
  refuseWrites = false;
  kube = createFakeClient();
  kube.before = () => {
    if (refuseWrites) throw failure(409, "Conflict", "newer");
  };
  kube.after = ({ verb }) => {
    if (verb === "get") return;
    written.push(kube.only(AgentTaskKind));
    log.push("write");
  };
  deps = taskDeps({ kube, profiles: { get: () => undefined } });
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
  runSteps(deps, steps, kube.seed(AgentTaskKind, task), new AbortController().signal);
const authorized = { type: "Authorized", status: "True", reason: "Test", message: "yes" } as const;

describe("the frame", () => {
  it("writes the status before an action, and the action's patch after it", async () => {
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

  it("writes the changes of several steps at once, before the next action and in the end", async () => {
    await go([
      step({ name: "a", decision: { conditions: [authorized] } }),
      step({ name: "b", decision: { fields: { startTime: "t" }, actions: ["act"] } }),
      step({ name: "c", decision: { fields: { conversation: "c" } } }),
      step({ name: "d", decision: { fields: { requester: { id: "1", login: "ana" } } } }),
    ]);
    expect(log).toEqual(["a", "b", "write", "b:act", "c", "d", "write"]);
    expect(written[1]?.status).toMatchObject({
      startTime: "t",
      conversation: "c",
      requester: { id: "1", login: "ana" },
    });
  });

  it.each<{ what: string; ask: (context: StepContext) => Promise<unknown> }>([
    { what: "asks for a connection", ask: ({ connection }) => connection() },
    { what: "asks for the code host", ask: ({ codeHost }) => codeHost() },
    { what: "reads the live task", ask: ({ live }) => live() },
  ])("writes what has changed before a step $what", async ({ ask }) => {
    const asking: AnyStep = asStep<undefined, never>({
      name: "b",
      concerns: () => true,
      async gather(context) {
        log.push(`b sees ${context.facts.task.status?.phase}`);
        await ask(context).catch(() => undefined);
        log.push("answered");
        return undefined;
      },
      decide: () => ({}),
      apply: async () => undefined,
    });
    await go([step({ name: "a", decision: { conditions: [authorized] } }), asking]);
    expect(log).toEqual(["a", "b sees Queued", "write", "answered"]);
  });

  it("runs no further step if that write meets a newer task, even if the step treats it as a failed connection", async () => {
    refuseWrites = true;
    const asking: AnyStep = asStep<undefined, string>({
      name: "b",
      concerns: () => true,
      gather: async ({ connection }) => void (await connection().catch(() => log.push("b goes on"))),
      decide: () => ({ actions: ["act"] }),
      apply: async () => void log.push("b:act"),
    });
    const steps = [
      step({ name: "a", decision: { conditions: [authorized] } }),
      asking,
      step({ name: "c", always: true }),
    ];
    await expect(go(steps)).rejects.toThrow("newer");
    expect(log).toEqual(["a", "b goes on"]);
  });

  it("fails if that write fails, even if the step treats it as a failed connection", async () => {
    const down = failure(500, "InternalError", "etcd is down");
    let answers = 0;
    kube.before = ({ verb }) => {
      if (verb !== "get" && answers++ === 0) throw down;
    };
    const asking: AnyStep = asStep<undefined, never>({
      name: "b",
      concerns: () => true,
      gather: async ({ connection }) => void (await connection().catch(() => log.push("b goes on"))),
      decide: () => ({ fields: { startTime: "wrong" } }),
      apply: async () => undefined,
    });
    await expect(go([step({ name: "a", decision: { conditions: [authorized] } }), asking])).rejects.toBe(down);
    expect(written.at(-1)?.status).toMatchObject({ phase: "Queued" });
    expect(written.at(-1)?.status).not.toHaveProperty("startTime");
  });

  it("stores the intent of an action even if a failed step left a write running", async () => {
    const { replaceStatus } = kube;
    kube.replaceStatus = async (...write) => {
      await new Promise(setImmediate);
      return replaceStatus(...write);
    };
    const leaving: AnyStep = asStep<undefined, never>({
      name: "b",
      concerns: () => true,
      async gather({ live }) {
        await Promise.all([live(), Promise.reject(new ProviderError("Unavailable", "502"))]);
        return undefined;
      },
      decide: () => ({}),
      apply: async () => undefined,
    });
    const acting = step({ name: "c", always: true, decision: { fields: { startTime: "intent" }, actions: ["act"] } });
    await expect(go([step({ name: "a", decision: { conditions: [authorized] } }), leaving, acting])).rejects.toThrow(
      "502",
    );
    expect(written.at(-1)?.status).toMatchObject({ startTime: "intent" });
    expect(log.indexOf("c:act")).toBe(log.length - 1);
  });

  it("writes the result of an action although a later step meets a conflict of another object", async () => {
    const acting = step({ name: "a", decision: { actions: ["act"] }, answers: { fields: { startTime: "t" } } });
    const steps = [
      acting,
      step({ name: "b", fails: failure(409, "Conflict", "another") }),
      step({ name: "c", always: true }),
    ];
    await expect(go(steps)).rejects.toThrow("another");
    expect(written.at(-1)?.status).toMatchObject({ startTime: "t" });
    expect(log).toEqual(["a", "a:act", "b", "write"]);
  });

  it("writes what has changed before a step fails", async () => {
    const away = new ProviderError("Unavailable", "502");
    const steps = [step({ name: "a", decision: { fields: { startTime: "t" } } }), step({ name: "b", fails: away })];
    await expect(go(steps)).rejects.toBe(away);
    expect(written).toHaveLength(1);
    expect(written[0]?.status).toMatchObject({ startTime: "t", conditions: [{ reason: "Unavailable" }] });
  });

  it("writes nothing if nothing changes", async () => {
    await go([step({ name: "a", decision: { conditions: [authorized] } })]);
    log = [];
    await go([step({ name: "a", decision: { conditions: [authorized] } })], written[0]);
    expect(log).toEqual(["a"]);
  });

  it("reconciles again at the earliest time that a step requests", async () => {
    const steps = [9_000, 3_000, 5_000].map((requeueAfterMs, n) =>
      step({ name: `${n}`, decision: { requeueAfterMs } }),
    );
    expect(await go(steps)).toEqual({ requeueAfterMs: 3_000 });
  });

  it("does not retry without a pause if a provider asks for an immediate retry", async () => {
    const atOnce = new ProviderError("Unavailable", "GitHub is away.", { retryAfterMs: 0 });
    expect(await go([step({ name: "a", fails: atOnce })])).toEqual({ requeueAfterMs: 1_000 });
  });

  it("skips the steps after a failure, except those marked `always`, and shows the failure once", async () => {
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

  it("backs off if the provider gives no time, and keeps a condition that is `True`", async () => {
    const away = new ProviderError("Unavailable", "502");
    const task = aTask({ conditions: ["Authorized"] });
    await expect(go([step({ name: "a", fails: away })], task)).rejects.toBe(away);
    expect(written).toEqual([]);
  });

  it("puts a full stop between an error's message and that the step is tried again", async () => {
    const away = new ProviderError("Unavailable", "git.example has no address");
    await expect(go([step({ name: "a", fails: away })])).rejects.toBe(away);
    expect(written[0]?.status?.conditions?.[0]?.message).toBe("git.example has no address. Trying again.");
  });

  it("runs no further step on outdated facts, not even those marked `always`", async () => {
    refuseWrites = true;
    const steps = [
      step({ name: "a", decision: { conditions: [authorized], actions: ["act"] } }),
      step({ name: "b", always: true, decision: { actions: ["act"] } }),
    ];
    await expect(go(steps)).rejects.toThrow("newer");
    expect(log).toEqual(["a"]);
  });
});
