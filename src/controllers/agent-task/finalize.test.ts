import { beforeEach, describe, expect, it } from "vitest";
import { AgentTaskKind } from "../../api/kinds.ts";
import type { Connection } from "../../integrations/connection.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { aConnection, aThread } from "../../integrations/testing.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { BellhopError } from "../../shared/errors.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { defaultConfig } from "./config.ts";
import { finalize } from "./finalize.ts";
import { aTask, integrationOf, noon, rendered, taskDeps, type TaskOverrides } from "./testing.ts";

const report = { id: "7", intent: "task:uid-shop-abc", revision: "r", reacted: true, quote: "fix it" };
const succeeded = { type: "Succeeded", status: "True", reason: "NoChanges", message: "Nothing to do." } as const;

let posted: string[];
let fails: unknown;
let signsIn: boolean;

beforeEach(() => {
  posted = [];
  fails = undefined;
  signsIn = true;
});

const thread = aThread({
  async update(_target, { id, marker }, final) {
    if (fails !== undefined) throw fails;
    posted.push(`${id}: ${rendered(final)}\n\n<!-- ${marker} -->`);
  },
});

/** Finalizes a task some time after its deletion; returns whether the finalizer was removed. */
async function letGo(over: TaskOverrides = {}, afterMs = 0): Promise<boolean> {
  const kube = createFakeClient();
  const deleted = aTask({
    deletedAt: noon.toISOString(),
    conditions: ["Authorized", "Admitted", "SandboxReady"],
    ...over,
    status: { report, ...over.status },
  });
  const task = kube.seed(AgentTaskKind, deleted);
  const connect = async (): Promise<Connection> => {
    if (!signsIn) throw new BellhopError("SecretNotFound", "Secret bot is not there");
    return aConnection({ thread });
  };
  const clock = new FakeClock(new Date(noon.getTime() + afterMs));
  const deps = taskDeps({ kube, findIntegration: integrationOf(connect), clock });
  const { requeueAfterMs } = await finalize(deps, task, new AbortController().signal);
  const gone = kube.objects(AgentTaskKind).length === 0;
  expect(requeueAfterMs === undefined).toBe(gone);
  return gone;
}

describe("a task that is deleted", () => {
  it("says so in its report, so that nobody waits for it", async () => {
    expect(await letGo({ status: { startTime: "2026-03-01T11:58:00Z" } })).toBe(true);
    expect(posted).toHaveLength(1);
    expect(posted[0]).toMatch(/^7: \*\*Stopped after 2 m 00 s\*\* · asked by @ana: “fix it”$/m);
    expect(posted[0]).toContain("The task was deleted; work that was not pushed is lost.");
    expect(posted[0]).toContain("<!-- task:uid-shop-abc -->");
  });

  it("reports the end that it had, if the report did not show it yet", async () => {
    await letGo({ conditions: [succeeded] });
    expect(posted[0]).toContain("Nothing to do.");
    expect(posted[0]).not.toContain("deleted");
  });

  it("posts nothing if there is no report, or the report is final", async () => {
    await letGo({ status: { report: {} } });
    await letGo({ conditions: [succeeded, "Reported"] });
    expect(posted).toEqual([]);
  });

  it("waits for a provider that does not answer, until the usual time-out", async () => {
    fails = new ProviderError("Unavailable", "502");
    expect(await letGo()).toBe(false);
    expect(await letGo({}, defaultConfig.finalizeMs)).toBe(true);
  });

  it("is removed at once if the report cannot be posted", async () => {
    fails = new ProviderError("NotFound", "404");
    expect(await letGo()).toBe(true);
    signsIn = false;
    expect(await letGo()).toBe(true);
  });
});
