import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../cluster/eventually.ts";
import { askForReactions, writesTo } from "./reactions.ts";
import { startWorld, type World } from "./world/index.ts";

const orgs = ["reacting-a", "reacting-b", "reacting-c", "reacting-d"];

// `make bench BENCH=reaction` measures the time until the reaction.
describe("the first reaction", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world?.close());

  it.concurrent.for(orgs)(
    "comes before the report on the same comment, while other work runs and waits: %s",
    async (org) => {
      const paths = await askForReactions(world, org, { comments: 5 });
      const reportsSoFar = (): number[] => writesTo(world, new RegExp(`^/repos/${org}/shop/issues/\\d+/comments$`));
      await eventually(() => reportsSoFar().length > 0, { describe: "a report", timeoutMs: 60_000 });
      const reports = reportsSoFar();
      for (const [before, path] of paths.entries()) {
        const [reaction = 0] = writesTo(world, path);
        // These are reports on earlier comments only.
        expect(reports.filter((at) => at < reaction).length).toBeLessThanOrEqual(before);
      }
    },
  );
});
