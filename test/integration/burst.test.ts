import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { pods } from "../../src/kube/resources.ts";
import { eventually } from "../cluster/eventually.ts";
import { startBurstWorld, type BurstTeam, type BurstWorld } from "./burst-world.ts";

const slowMs = 600_000;

/** Many mentions at once. The clock of the pace stands still, so nothing here depends on the machine's speed. */
describe("a burst of mentions", () => {
  let world: BurstWorld;
  beforeAll(async () => {
    world = await startBurstWorld(inject("kubeconfigPath"));
  });
  afterAll(() => world?.close());

  const holding = (team: BurstTeam, type: string): number =>
    world.tasks
      .list(team.namespace)
      .filter(({ status }) => status?.conditions?.some((one) => one.type === type && one.status === "True")).length;
  const until = (describe: string, probe: () => boolean | Promise<boolean>): Promise<boolean> =>
    eventually(probe, { describe, timeoutMs: slowMs });

  it(
    "does not delay the App of another organisation: it reacts before the second write of the busy App",
    async () => {
      const [busy, idle] = [await world.team("busy"), await world.team("idle")];
      await busy.mentions(20);
      await until("the busy App's first write", () => busy.writes().length > 0);
      await idle.mentions(1);
      await until("the idle App's reaction", () => idle.writes().includes("reaction"));
      expect(busy.writes()).toEqual(["reaction"]);
    },
    slowMs,
  );

  it(
    "delays neither authorisation nor admission nor sandboxes: sixty tasks have them before the second write",
    async () => {
      const team = await world.team("crowd");
      await team.mentions(60);
      await until("sixty authorised tasks", () => holding(team, "Authorized") === 60);
      await until("sixty admitted tasks", () => holding(team, "Admitted") === 60);
      const sandboxes = async (): Promise<number> =>
        (await world.client.list(pods, { namespace: team.namespace })).items.length;
      await until("sixty sandboxes", async () => (await sandboxes()) === 60);
      expect(team.writes()).toEqual(["reaction"]);
    },
    slowMs,
  );
});
