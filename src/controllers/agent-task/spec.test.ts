import { describe, expect, it } from "vitest";
import { fakeHost } from "../../integrations/testing.ts";
import { sandboxSpecOf } from "./spec.ts";
import { aProfile, anIntegration, aTask, noon, shaOf } from "./testing.ts";

describe("the instructions for the courier", () => {
  it("names the task's deadline, so that the time before the agent starts counts as well", () => {
    const spec = sandboxSpecOf({
      task: aTask({ status: { checkout: { headRef: "bellhop/1-fix", headSHA: shaOf("a"), newBranch: true } } }),
      profile: aProfile(),
      integration: anIntegration(),
      attempt: { number: 2, date: noon.toISOString() },
      host: fakeHost().host,
      egress: { probes: [], notProbed: [] },
      brokerURL: "https://broker.bellhop.svc:8443",
      remainingMs: 90_000,
    });
    expect(spec.limits).toMatchObject({ wallClockMs: 90_000, deadlineMs: noon.getTime() + 90_000 });
  });
});
