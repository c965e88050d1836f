import { describe, expect, it } from "vitest";
import { fakeHost } from "../../integrations/testing.ts";
import { sandboxSpecOf, type SpecSources } from "./spec.ts";
import { aProfile, anIntegration, aTask, noon, shaOf } from "./testing.ts";

const sources: SpecSources = {
  task: aTask({ status: { checkout: { headRef: "bellhop/1-fix", headSHA: shaOf("a"), newBranch: true } } }),
  profile: aProfile(),
  integration: anIntegration(),
  bot: anIntegration().status?.bot,
  attempt: { number: 2, date: noon.toISOString() },
  host: fakeHost().host,
  egress: { probes: [], notProbed: [] },
  brokerURL: "https://broker.bellhop.svc:8443",
  remainingMs: 90_000,
};

describe("the instructions for the courier", () => {
  it("names the task's deadline, so that the time before the agent starts counts as well", () => {
    const { limits } = sandboxSpecOf(sources);
    expect(limits).toMatchObject({ wallClockMs: 90_000, deadlineMs: noon.getTime() + 90_000 });
  });

  it("has one line for the co-author, whatever the login is", () => {
    const { host } = fakeHost();
    host.coAuthor = () => "ana\nSigned-off-by: eve\u2028\r <1+ana@users.example>";
    expect(sandboxSpecOf({ ...sources, host }).commit.trailers[0]).toBe(
      "Co-authored-by: ana Signed-off-by: eve  <1+ana@users.example>",
    );
  });
});
