import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorld, type World } from "./world/index.ts";
import { anIssue, gitAt } from "./world/thread.ts";
import { aTeam } from "./world/team.ts";

describe("the main job, on the process node", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world?.close());

  it("turns a mention into a branch, a draft pull request and one report", async () => {
    const team = await aTeam(world, "acme");
    const thread = await anIssue(team);
    const task = await thread.reported(await thread.ask("please fix this"));

    expect(task.status).toMatchObject({
      phase: "Succeeded",
      result: { branch: `bellhop/${thread.number}-say-hello-in-the-readme` },
    });
    const { branch = "", commit, changeNumber } = task.status?.result ?? {};
    expect(gitAt(team, thread.repo, "rev-parse", branch)).toBe(commit);
    const message = gitAt(team, thread.repo, "log", "-1", "--format=%B", branch);
    expect(message).toMatch(/^Co-authored-by: ana </m);
    expect(message).toMatch(/^skip-checks: true$/m);

    const [pull, ...others] = await thread.pulls();
    expect(others).toEqual([]);
    expect(pull).toMatchObject({ number: changeNumber, draft: true, state: "open", user: { login: team.bot } });
    expect(pull?.body).toMatch(new RegExp(`^Fixes #${thread.number}$`, "m"));
    expect(pull?.body).toContain(`approve ${commit?.slice(0, 7)}`);

    const ours = await thread.botComments();
    expect(ours).toHaveLength(1);
    expect(ours[0]?.body).toMatch(
      /^\*\*Done in \d+ s\*\* · draft PR #\d+ · asked by @ana: \[“please fix this”\]\(https:\/\/\S+\/acme\/shop\/issues\/\d+#issuecomment-\d+\)$/m,
    );
    expect(ours[0]?.body).toContain("Added bellhop-note.md");
    world.github.assertClean();
  });
});
