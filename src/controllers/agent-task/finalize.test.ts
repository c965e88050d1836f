import { beforeEach, describe, expect, it } from "vitest";
import type { AgentTask } from "../../api/kinds.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { BellhopError } from "../../shared/errors.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { defaultConfig, type AgentTaskDeps } from "./deps.ts";
import { finalize } from "./finalize.ts";
import { aTask, anIntegration, noon, plainReporter, type TaskOverrides } from "./testing.ts";

const report = { id: "7", intent: "task:uid-shop-abc", revision: "r", reacted: true, quote: "fix it" };
const succeeded = { type: "Succeeded", status: "True", reason: "NoChanges", message: "Nothing to do." } as const;

let told: string[];
let fails: unknown;
let signsIn: boolean;

beforeEach(() => {
  told = [];
  fails = undefined;
  signsIn = true;
});

const reporter = {
  ...plainReporter,
  async update(_target: unknown, id: string, text: string) {
    if (fails !== undefined) throw fails;
    told.push(`${id}: ${text}`);
  },
};

/** Lets a deleted task go, some time after somebody deleted it; answers whether it went. */
async function letGo(over: TaskOverrides = {}, afterMs = 0): Promise<boolean> {
  let gone = false;
  const task: AgentTask = aTask({
    deletedAt: noon.toISOString(),
    conditions: ["Authorized", "Admitted", "SandboxReady"],
    ...over,
    status: { report, ...over.status },
  });
  const connect = async (): Promise<object> => {
    if (!signsIn) throw new BellhopError("SecretNotFound", "Secret bot is not there");
    return { reporter };
  };
  const deps = {
    kube: { jsonPatch: async () => ((gone = true), task), get: async () => task },
    findIntegration: () => ({ integration: anIntegration(), connect }),
    admission: { changed: () => {} },
    credentials: { holds: () => false },
    clock: new FakeClock(new Date(noon.getTime() + afterMs)),
    log: silentLogger,
    config: defaultConfig,
  } as unknown as AgentTaskDeps;
  const { requeueAfterMs } = await finalize(deps, task, new AbortController().signal);
  expect(requeueAfterMs === undefined).toBe(gone);
  return gone;
}

describe("a task that is deleted", () => {
  it("says so in its message, so that nobody waits for it", async () => {
    expect(await letGo({ status: { startTime: "2026-03-01T11:58:00Z" } })).toBe(true);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^7: \*\*Stopped after 2 m 00 s\*\* · asked by @ana: “fix it”$/m);
    expect(told[0]).toContain("The task was deleted; work that was not pushed is lost.");
    expect(told[0]).toContain("<!-- task:uid-shop-abc -->");
  });

  it("tells the end that it had, where that was not told yet", async () => {
    await letGo({ conditions: [succeeded] });
    expect(told[0]).toContain("Nothing to do.");
    expect(told[0]).not.toContain("deleted");
  });

  it("says nothing where there is no message, or its story was told", async () => {
    await letGo({ status: { report: {} } });
    await letGo({ conditions: [succeeded, "Reported"] });
    expect(told).toEqual([]);
  });

  it("waits for a provider that is away, no longer than for anything else", async () => {
    fails = new ProviderError("Unavailable", "502");
    expect(await letGo()).toBe(false);
    expect(await letGo({}, defaultConfig.finalizeMs)).toBe(true);
  });

  it("goes at once where the message cannot be told", async () => {
    fails = new ProviderError("NotFound", "404");
    expect(await letGo()).toBe(true);
    signsIn = false;
    expect(await letGo()).toBe(true);
  });
});
