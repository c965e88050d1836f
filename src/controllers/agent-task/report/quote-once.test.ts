import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../../api/kinds.ts";
import { FakeClock } from "../../../shared/fake-clock.ts";
import { silentLogger } from "../../../shared/log.ts";
import type { AgentTaskDeps } from "../deps.ts";
import { runSteps } from "../frame.ts";
import { anIntegration, aTask, noon, plainReporter, type TaskOverrides } from "../testing.ts";
import { reportStep } from "./index.ts";

/** An API server with one task and a cache without its text, like the operator's. */
function aWorld(over: TaskOverrides, others: AgentTask[] = []) {
  const whole = aTask({ source: { textSHA256: "f".repeat(64), text: "fix the login" }, ...over });
  const { text: _, ...source } = whole.spec.source;
  let status = whole.status ?? {};
  const seen = { reads: 0, texts: [] as string[] };
  const clock = new FakeClock(noon);
  const reporter = {
    ...plainReporter,
    create: async (_target: unknown, body: string) => ({ id: String(seen.texts.push(body)), url: "https://x" }),
    update: async (_target: unknown, _id: string, body: string) => void seen.texts.push(body),
    find: async () => undefined,
  };
  const cached = (): AgentTask => ({ ...whole, spec: { ...whole.spec, source }, status });
  const kube = {
    get: async () => ((seen.reads += 1), { ...whole, status }),
    // A real server returns the complete object after a write; here the texts are removed, so that each read of them shows.
    replaceStatus: async (_kind: unknown, task: AgentTask) => ((status = task.status ?? {}), cached()),
  };
  const deps = {
    kube,
    tasks: {
      list: () => [cached()],
      get: ({ name }: { name: string }) => others.find((one) => one.metadata.name === name),
    },
    profiles: { get: () => undefined },
    admission: { verdict: () => ({ state: "Unknown" }) },
    findIntegration: () => ({
      integration: anIntegration(),
      connect: async () => ({ reporter, acknowledger: { react: async () => {} } }),
    }),
    sandbox: { observe: () => ({ state: "Missing" }) },
    events: { normal: () => {}, warning: () => {} },
    clock,
    log: silentLogger,
    config: {},
  } as unknown as AgentTaskDeps;
  const look = async (conditions?: AgentTask["status"]): Promise<void> => {
    status = { ...status, ...conditions };
    await clock.advance(60_000);
    await runSteps(deps, [reportStep], cached(), AbortSignal.timeout(5_000));
  };
  return { seen, look, status: () => status };
}

const succeeded = aTask({ conditions: ["Authorized", { type: "Succeeded", reason: "NoChanges" }] }).status ?? {};

describe("the excerpt of a request", () => {
  it("is read once, and is in the report from its first text to its last", async () => {
    const { seen, look, status } = aWorld({ conditions: ["Authorized"] });
    await look();
    expect(status().report).toMatchObject({ reacted: true, quote: "fix the login" });
    await look();
    await look({ conditions: aTask({ conditions: ["Authorized", "Admitted"] }).status?.conditions ?? [] });
    await look({ conditions: succeeded.conditions ?? [] });
    expect(seen.texts.map((text) => text.split("\n")[0])).toEqual([
      "**Queued** · asked by @ana: “fix the login” · task `shop-abc`",
      "**Getting ready** · asked by @ana: “fix the login” · task `shop-abc`",
      "**Done** · asked by @ana: “fix the login”",
    ]);
    expect(seen.reads).toBe(1);
  });

  it("is read for a report that an older version started", async () => {
    const report = { id: "7", reacted: true, intent: "task:x", revision: "before", toldAt: noon.toISOString() };
    const { seen, look, status } = aWorld({ conditions: ["Authorized"], status: { report } });
    await look();
    await look();
    expect(seen.texts).toEqual([expect.stringContaining("asked by @ana: “fix the login”")]);
    expect(status().report?.quote).toBe("fix the login");
    expect(seen.reads).toBe(1);
  });

  it("is not read if there will be no report", async () => {
    const { seen, look } = aWorld({ spec: { command: "stop" }, conditions: ["Authorized"] });
    await look();
    expect(seen).toEqual({ reads: 0, texts: [] });
  });

  it("of a retry stands beside that of the original work, through any number of retries", async () => {
    const first = aTask({ name: "first", status: { report: { quote: "fix the logout" } } });
    const second = aTask({
      name: "second",
      spec: { retryOf: { name: "first" } },
      status: { report: { quote: "retry" } },
    });
    const over: TaskOverrides = {
      conditions: ["Authorized"],
      spec: { retryOf: { name: "second" } },
      source: { textSHA256: "f".repeat(64), text: "retry" },
    };
    const { seen, look } = aWorld(over, [first, second]);
    await look();
    await look();
    expect(seen.texts[0]).toContain("asked by @ana: “retry” of “fix the logout”");
  });
});
