import { afterAll, beforeAll, expect, it } from "vitest";
import { GitHubIntegrationKind } from "../../../src/api/github-integration.ts";
import { shownText } from "../../providers/slack/see.ts";
import { startWorld, type World } from "./world/index.ts";
import { aSlackTeam, type SlackTeam } from "./world/slack.ts";
import { aTeam, type Team } from "./world/team.ts";
import { taskThat, type Pull } from "./world/thread.ts";

let world: World;
let team: Team;
let workspace: SlackTeam;
beforeAll(async () => {
  world = await startWorld();
  team = await aTeam(world, "acme");
  workspace = await aSlackTeam(team);
});
afterAll(() => world?.close());

async function suspend(suspended: boolean): Promise<void> {
  const { namespace, integration: name } = team;
  await world.client.mergePatch(GitHubIntegrationKind, { namespace, name }, { spec: { suspend: suspended } });
}

it("keeps a request from a private channel back while the code host is suspended, and if its repository becomes public meanwhile", async () => {
  const { ana, bob, secret, untilReport } = workspace;
  const repo = "acme/site";
  await world.github.people.createRepo({ repo, private: true, files: { "README.md": "# Site\n" } });
  await world.github.people.setPermission({ repo, login: "bob", role: "write" });
  await suspend(true);
  const request = await ana.mentions(secret, `please fix this\nRepository: ${repo}`);
  await untilReport(request, "the reason to wait", (seen) => shownText(seen).includes("is suspended (spec.suspend)"));
  const waiting = await taskThat(team, "the request", ({ spec }) => spec.command === undefined);
  expect(waiting.status?.conditions).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ type: "Approved", status: "True", reason: "RepositoryPrivate" }),
      expect.objectContaining({ type: "Admitted", status: "False", reason: "CodeHostSuspended" }),
    ]),
  );

  await world.github.people.setVisibility({ repo, private: false });
  await suspend(false);

  const asks = await untilReport(request, "the question for an approval", (seen) =>
    shownText(seen).includes("Only some people can read this thread, but acme/site is public"),
  );
  const held = await taskThat(team, "the task", ({ spec }) => spec.command === undefined);
  expect(held.status).toMatchObject({ phase: "WaitingForInput" });
  expect(held.status?.attempts).toBeUndefined();
  await bob.clicks(asks, "bellhop/approve");
  await untilReport(request, "the final report", (seen) => shownText(seen).includes("Done in"));
  expect(await team.read<Pull[]>(`/repos/${repo}/pulls?state=all`)).toHaveLength(1);
});
