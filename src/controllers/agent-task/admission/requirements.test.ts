import { describe, expect, it } from "vitest";
import { anIntegration, aProfile, aTask } from "../testing.ts";
import { aheadOf, limitsOf } from "./requirements.ts";

describe("limits", () => {
  it("describe each maximum in a sentence with the field that sets it, the narrowest limit first", () => {
    const limits = limitsOf({
      task: aTask(),
      integration: anIntegration({ concurrency: { tasks: 10, perRepository: 5, perActor: 1 } }),
      profile: aProfile({ concurrency: { tasks: 4 } }),
      config: { concurrency: { perNamespace: 20, cluster: 50 } },
    });
    expect(limits.map(({ describe: words }) => words)).toEqual([
      "at most 1 task of @ana runs at once (integration shop, perActor)",
      "at most 5 tasks in acme/shop run at once (integration shop, perRepository)",
      "at most 10 tasks of integration shop run at once (concurrency.tasks)",
      "at most 4 tasks of profile default run at once (concurrency.tasks)",
      "at most 20 tasks in namespace team run at once",
      "at most 50 tasks in the whole installation run at once",
    ]);
  });

  it('show the first task in the queue as next in line, not as "0 ahead"', () => {
    expect([0, 1, 6].map(aheadOf)).toEqual(["next in line", "1 ahead", "6 ahead"]);
  });
});
