import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorld, type World } from "./world/index.ts";
import { aTeam, gated } from "./world/team.ts";
import { anIssue, gitAt, reasonOf, threadOn } from "./world/thread.ts";

describe("a repository that is renamed while a task runs", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world?.close());

  it("keeps its conversation: the work is published, a later request waits for it and continues on its branch and pull request", async () => {
    const gate = join(world.folder, "renamed");
    const team = await aTeam(world, "renamed", { profile: { agent: gated(gate) } });
    const before = await anIssue(team);
    const first = await before.ask("please fix this");
    await before.until(first, "the work to run", ({ status }) => status?.phase === "Running");

    await world.github.people.renameRepo({ repo: team.repo, to: "store" });
    const after = threadOn(team, before.number, "renamed/store");
    const second = await after.ask("and say goodbye");
    const waiting = await after.until(second, "the later request to wait", ({ status }) => status?.phase === "Queued");
    expect(waiting.spec.conversation).not.toBeUndefined();
    await writeFile(gate, "");

    const done = await after.reported(first);
    expect(reasonOf(done), JSON.stringify(done.status)).toBe("Published");
    const continued = await after.reported(second);
    expect(reasonOf(continued), JSON.stringify(continued.status)).toBe("Published");
    const { branch = "", commit } = continued.status?.result ?? {};
    expect(branch).toBe(done.status?.result?.branch);
    expect(gitAt(team, after.repo, "rev-parse", branch)).toBe(commit);
    expect(gitAt(team, after.repo, "rev-list", "--count", `main..${branch}`)).toBe("2");
    expect(await after.pulls()).toMatchObject([{ number: done.status?.result?.changeNumber, head: { ref: branch } }]);
    expect(await after.botComments()).toHaveLength(2);
    world.github.assertClean();
  });

  it("obeys `stop` under the new name", async () => {
    const team = await aTeam(world, "renamed-stopped", { profile: { agent: gated(join(world.folder, "never")) } });
    const before = await anIssue(team);
    const asked = await before.ask("please fix this");
    await before.until(asked, "the work to run", ({ status }) => status?.phase === "Running");
    await world.github.people.renameRepo({ repo: team.repo, to: "store" });
    await threadOn(team, before.number, "renamed-stopped/store").ask("stop");
    const stopped = await before.reported(asked);
    expect(stopped.status?.phase).toBe("Cancelled");
  });
});
