import { describe, expect, it } from "vitest";
import type { ResourceQuota } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import { quotaUsedUp } from "./quota.ts";

const counted = "count/agenttasks.bellhop.dev";
const quota = (hard: Record<string, string>, used: Record<string, string>): ResourceQuota => ({
  metadata: { name: "tasks", namespace: "team" },
  status: { hard, used },
});
const clientWith = (...items: ResourceQuota[]): Pick<KubeClient, "list"> => ({
  list: (async () => ({ items, resourceVersion: "1" })) as unknown as KubeClient["list"],
});
const patiently = new AbortController().signal;

describe("quotaUsedUp", () => {
  it("names the quota that is used up, and says what to do", async () => {
    const verdict = await quotaUsedUp(clientWith(quota({ [counted]: "5" }, { [counted]: "5" })), "team", patiently);
    expect(verdict).toMatchObject({ type: "Stalled", status: "True", reason: "QuotaExceeded" });
    expect(verdict?.message).toMatch(/team\/tasks allows 5 .*Raise count\/agenttasks\.bellhop\.dev/);
  });

  it.each([
    ["there is room", quota({ [counted]: "5" }, { [counted]: "4" })],
    ["tasks are not counted", quota({ pods: "5" }, { pods: "5" })],
    ["nobody has counted yet", quota({ [counted]: "5" }, {})],
  ])("returns nothing while %s", async (_name, one) => {
    expect(await quotaUsedUp(clientWith(one), "team", patiently)).toBeUndefined();
  });
});
