import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needsFile } from "../needs.ts";
import { failing, type Failure } from "../providers/github/index.ts";
import { specFile } from "../providers/github/spec-check.ts";
import { nothingHeld } from "../integration/journey/world/canaries.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { anIssue, gitAt, reasonOf } from "../integration/journey/world/story.ts";
import { aTeam, gated } from "../integration/journey/world/team.ts";

describe("a GitHub that fails", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(async () => {
    await world?.close();
  });

  describe.concurrent("in the middle of the work", () => {
    it.each<{ name: string; org: string; failure: Failure }>([
      { name: "a secondary rate limit", org: "limited", failure: failing.secondaryRateLimit(1) },
      { name: "500", org: "server-error", failure: failing.serverError() },
      { name: "502 with a page of HTML", org: "bad-gateway", failure: failing.badGateway() },
      { name: "an answer that is lost", org: "dropped", failure: failing.dropAnswer() },
    ])("makes one comment and one pull request in spite of $name", async ({ org, failure }) => {
      const team = await aTeam(world, org);
      const story = await anIssue(team);
      const once = { times: 1 };
      const injected = [
        world.github.fail(
          { method: "POST", path: `/repos/${team.repo}/issues/${story.number}/comments` },
          failure,
          once,
        ),
        world.github.fail({ method: "POST", path: `/repos/${team.repo}/pulls` }, failure, once),
      ];
      const task = await story.end(await story.ask("please fix this"));
      expect(injected.map(({ hits }) => hits)).toEqual([1, 1]);
      expect(reasonOf(task)).toBe("Published");
      expect(await story.ours()).toHaveLength(1);
      expect(await story.pulls()).toHaveLength(1);
    });

    it("writes its message anew where GitHub says 404 for it, and says where the work is when no pull request could be opened", async () => {
      const team = await aTeam(world, "not-found");
      const story = await anIssue(team);
      const comments = `/repos/${team.repo}/issues/${story.number}/comments`;
      world.github.fail({ method: "POST", path: comments }, failing.notFound(), { times: 1 });
      const noPull = world.github.fail({ method: "POST", path: `/repos/${team.repo}/pulls` }, failing.notFound());
      const task = await story.end(await story.ask("please fix this"));
      noPull.stop();
      expect(reasonOf(task)).toBe("ChangeNotOpened");
      const { branch = "", commit } = task.status?.result ?? {};
      expect(gitAt(team, team.repo, "rev-parse", branch)).toBe(commit);
      expect((await story.ours()).map(({ body }) => body)).toEqual([expect.stringContaining(branch)]);
    });

    it("goes on where the App was suspended while the agent worked and is let in again", async () => {
      const gate = join(world.folder, "suspended");
      const team = await aTeam(world, "suspended", { profile: { agent: gated(gate) } });
      const story = await anIssue(team);
      const said = await story.ask("please fix this");
      await story.until(said, "the work to run", ({ status }) => status?.phase === "Running");
      await world.github.people.suspendInstallation({ installation: team.installation });
      await writeFile(gate, "");
      await story.until(said, "the suspension to show", ({ status }) =>
        JSON.stringify(status?.conditions).includes("suspended"),
      );
      await world.github.people.suspendInstallation({ installation: team.installation, on: false });
      const task = await story.end(said);
      expect(reasonOf(task)).toBe("Published");
      expect(await story.ours()).toHaveLength(1);
      expect(await story.pulls()).toHaveLength(1);
    });

    it("signs in again where its tokens ended before their time", async () => {
      const gate = join(world.folder, "expired");
      const team = await aTeam(world, "expired", { profile: { agent: gated(gate) } });
      const story = await anIssue(team);
      const said = await story.ask("please fix this");
      await story.until(said, "the work to run", ({ status }) => status?.phase === "Running");
      const theirs = world.github.tokens().filter(({ installation }) => installation?.id === team.installation);
      expect(theirs).not.toEqual([]);
      for (const { value } of theirs) await world.github.people.revokeToken({ token: value });
      await writeFile(gate, "");
      const task = await story.end(said);
      expect(reasonOf(task)).toBe("Published");
      expect(await story.ours()).toHaveLength(1);
      expect(await story.pulls()).toHaveLength(1);
    });
  });

  it("is left without any token of ours that works", async () => {
    await nothingHeld(world);
  });

  it("was asked nothing that its description does not allow", (context) => {
    needsFile(context, specFile);
    world.github.assertClean();
  });
});
