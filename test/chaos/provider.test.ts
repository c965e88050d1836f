import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needsFile } from "../needs.ts";
import { failing, type Failure } from "../providers/github/index.ts";
import { specFile } from "../providers/github/spec-check.ts";
import { nothingHeld } from "../integration/journey/world/canaries.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { anIssue, gitAt, reasonOf } from "../integration/journey/world/thread.ts";
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
    ])("gets one comment and one pull request in spite of $name", async ({ org, failure }) => {
      const team = await aTeam(world, org);
      const thread = await anIssue(team);
      const once = { times: 1 };
      const injected = [
        world.github.fail(
          { method: "POST", path: `/repos/${team.repo}/issues/${thread.number}/comments` },
          failure,
          once,
        ),
        world.github.fail({ method: "POST", path: `/repos/${team.repo}/pulls` }, failure, once),
      ];
      const task = await thread.reported(await thread.ask("please fix this"));
      expect(injected.map(({ hits }) => hits)).toEqual([1, 1]);
      expect(reasonOf(task)).toBe("Published");
      expect(await thread.botComments()).toHaveLength(1);
      expect(await thread.pulls()).toHaveLength(1);
    });

    it("posts its report again after a 404 from GitHub, and names the branch if no pull request could be opened", async () => {
      const team = await aTeam(world, "not-found");
      const thread = await anIssue(team);
      const comments = `/repos/${team.repo}/issues/${thread.number}/comments`;
      world.github.fail({ method: "POST", path: comments }, failing.notFound(), { times: 1 });
      const noPull = world.github.fail({ method: "POST", path: `/repos/${team.repo}/pulls` }, failing.notFound());
      const task = await thread.reported(await thread.ask("please fix this"));
      noPull.stop();
      expect(reasonOf(task)).toBe("ChangeNotOpened");
      const { branch = "", commit } = task.status?.result ?? {};
      expect(gitAt(team, team.repo, "rev-parse", branch)).toBe(commit);
      expect((await thread.botComments()).map(({ body }) => body)).toEqual([expect.stringContaining(branch)]);
    });

    it("continues after the App was suspended while the agent worked, when the suspension ends", async () => {
      const gate = join(world.folder, "suspended");
      const team = await aTeam(world, "suspended", { profile: { agent: gated(gate) } });
      const thread = await anIssue(team);
      const commentId = await thread.ask("please fix this");
      await thread.until(commentId, "the work to run", ({ status }) => status?.phase === "Running");
      await world.github.people.suspendInstallation({ installation: team.installation });
      await writeFile(gate, "");
      await thread.until(commentId, "the suspension to show", ({ status }) =>
        JSON.stringify(status?.conditions).includes("suspended"),
      );
      await world.github.people.suspendInstallation({ installation: team.installation, on: false });
      const task = await thread.reported(commentId);
      expect(reasonOf(task)).toBe("Published");
      expect(await thread.botComments()).toHaveLength(1);
      expect(await thread.pulls()).toHaveLength(1);
    });

    it("signs in again after its tokens were revoked early", async () => {
      const gate = join(world.folder, "expired");
      const team = await aTeam(world, "expired", { profile: { agent: gated(gate) } });
      const thread = await anIssue(team);
      const commentId = await thread.ask("please fix this");
      await thread.until(commentId, "the work to run", ({ status }) => status?.phase === "Running");
      const theirs = world.github.tokens().filter(({ installation }) => installation?.id === team.installation);
      expect(theirs).not.toEqual([]);
      for (const { value } of theirs) await world.github.people.revokeToken({ token: value });
      await writeFile(gate, "");
      const task = await thread.reported(commentId);
      expect(reasonOf(task)).toBe("Published");
      expect(await thread.botComments()).toHaveLength(1);
      expect(await thread.pulls()).toHaveLength(1);
    });
  });

  it("has no valid token of ours at the end", async () => {
    await nothingHeld(world);
  });

  it("got only requests that its description allows", (context) => {
    needsFile(context, specFile);
    world.github.assertClean();
  });
});
