import { describe, expect, it } from "vitest";
import { compileRule } from "../../intake/cel.ts";
import { decide } from "../../intake/decide.ts";
import { anEvent, anIntegration } from "../../intake/testing.ts";
import { resourceQuotas, type ResourceQuota } from "../../kube/resources.ts";
import { createFakeClient, type FakeClient } from "../../kube/testing.ts";
import { defaultIntegrationConfig } from "./deps.ts";
import { quotaUsedUp, stalledBy } from "./stalled.ts";
import { aSource } from "./unit/testing.ts";

const config = { ...defaultIntegrationConfig, namespace: "bellhop", externalURL: "https://bellhop.example" };

describe("a broken rule on one trigger of several", () => {
  it.each([
    ["RuleInvalid", "event.foo("],
    ["RuleTooExpensive", "body.a.all(x, body.a.all(y, body.a.all(z, true)))"],
  ])("makes the operator report %s and the gateway ignore every event except commands", (reason, when) => {
    const triggers = [
      { name: "mention", mention: {} },
      { name: "label", label: { name: "agent" }, when },
    ];
    const integration = anIntegration({ spec: { triggers } });
    const decideMention = (words: string) =>
      decide({
        integration,
        event: anEvent({ signals: [{ kind: "mention", words }] }),
        body: {},
        published: { branchPrefixes: [], liveThreads: [], offered: [] },
        now: new Date("2026-01-10T00:00:00Z"),
        compile: compileRule,
      });

    const verdict = stalledBy({ compileRule, config, source: aSource() }, integration);
    expect(verdict).toMatchObject({ type: "Stalled", status: "True", reason });
    expect(verdict?.message).toMatch(
      /^All triggers are disabled until spec\.triggers\[label\]\.when is fixed \(commands .* work\): \w/,
    );
    expect(decideMention("fix it")).toEqual({ result: "ignored", reason, message: verdict?.message });
    expect(decideMention("stop")).toMatchObject({ result: "task", command: "stop" });
  });
});

const counted = "count/agenttasks.bellhop.dev";
const quota = (hard: Record<string, string>, used: Record<string, string>): ResourceQuota => ({
  metadata: { name: "tasks", namespace: "team" },
  status: { hard, used },
});
function clientWith(item: ResourceQuota): FakeClient {
  const client = createFakeClient();
  client.seed(resourceQuotas, item);
  return client;
}
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
