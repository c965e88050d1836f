import { describe, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../../../api/kinds.ts";
import { aConnection, aThread } from "../../../integrations/testing.ts";
import { createFakeClient } from "../../../kube/testing.ts";
import { FakeClock } from "../../../shared/fake-clock.ts";
import type { KubeClient } from "../../../kube/types.ts";
import { runSteps } from "../frame.ts";
import { withoutTexts } from "../task-index.ts";
import { aTask, integrationOf, noon, rendered, taskCacheOf, taskDeps, type TaskOverrides } from "../testing.ts";
import { reportStep } from "./index.ts";

/** An API server with one task and a cache without its text, like the operator's. */
function aWorld(over: TaskOverrides, others: AgentTask[] = []) {
  const whole = aTask({ source: { textSHA256: "f".repeat(64), text: "fix the login" }, ...over });
  const server = createFakeClient();
  server.seed(AgentTaskKind, whole);
  const stored = (): AgentTask => server.only(AgentTaskKind);
  const texts: string[] = [];
  const clock = new FakeClock(noon);
  const thread = aThread({
    acknowledge: async () => {},
    post: async (_target, report) => ({ id: String(texts.push(rendered(report))), url: "https://x" }),
    update: async (_target, _message, report) => void texts.push(rendered(report)),
  });
  const deps = taskDeps({
    kube: answeringWithoutTexts(server),
    tasks: taskCacheOf(others),
    findIntegration: integrationOf(async () => aConnection({ thread })),
    clock,
  });
  const look = async (conditions?: AgentTask["status"]): Promise<void> => {
    const task = server.seed(AgentTaskKind, { ...stored(), status: { ...stored().status, ...conditions } });
    await clock.advance(60_000);
    await runSteps(deps, [reportStep], withoutTexts(task), AbortSignal.timeout(5_000));
  };
  const reads = (): number => server.calls.filter(({ verb }) => verb === "get").length;
  return { texts, reads, look, status: () => stored().status ?? {} };
}

/** A real server returns the complete task after a write; here the texts are removed, so that each read of them shows. */
function answeringWithoutTexts(server: KubeClient): KubeClient {
  return {
    ...server,
    async replaceStatus(type, object, options) {
      const written = await server.replaceStatus(type, object, options);
      return { ...written, ...withoutTexts(written as typeof written & AgentTask) };
    },
  };
}

const succeeded = aTask({ conditions: ["Authorized", { type: "Succeeded", reason: "NoChanges" }] }).status ?? {};

describe("the excerpt of a request", () => {
  it("is read once, and is in the report from its first text to its last", async () => {
    const { texts, reads, look, status } = aWorld({ conditions: ["Authorized"] });
    await look();
    expect(status().report).toMatchObject({ reacted: true });
    await look();
    expect(status().report).toMatchObject({ id: expect.any(String), quote: "fix the login" });
    await look({ conditions: aTask({ conditions: ["Authorized", "Admitted"] }).status?.conditions ?? [] });
    await look({ conditions: succeeded.conditions ?? [] });
    expect(texts.map((text) => text.split("\n")[0])).toEqual([
      "**Queued** · asked by @ana: “fix the login” · task `shop-abc`",
      "**Getting ready** · asked by @ana: “fix the login” · task `shop-abc`",
      "**Done** · asked by @ana: “fix the login”",
    ]);
    expect(reads()).toBe(1);
  });

  it("is read for a report that an older version started", async () => {
    const report = { id: "7", reacted: true, intent: "task:x", revision: "before", toldAt: noon.toISOString() };
    const { texts, reads, look, status } = aWorld({ conditions: ["Authorized"], status: { report } });
    await look();
    await look();
    expect(texts).toEqual([expect.stringContaining("asked by @ana: “fix the login”")]);
    expect(status().report?.quote).toBe("fix the login");
    expect(reads()).toBe(1);
  });

  it("is not read if there will be no report", async () => {
    const { texts, reads, look } = aWorld({ spec: { command: "stop" }, conditions: ["Authorized"] });
    await look();
    expect({ reads: reads(), texts }).toEqual({ reads: 0, texts: [] });
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
    const { texts, look } = aWorld(over, [first, second]);
    await look();
    await look();
    expect(texts[0]).toContain("asked by @ana: “retry” of “fix the logout”");
  });
});
