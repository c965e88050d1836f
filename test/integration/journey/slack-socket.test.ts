import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SlackAppKind, type SlackApp } from "../../../src/api/slack-app.ts";
import { shownText } from "../../providers/slack/see.ts";
import { aSlackTeam, type SlackTeam } from "./world/slack.ts";
import { aTeam, type Team } from "./world/team.ts";
import { startWorld, type World } from "./world/index.ts";
import type { Pull } from "./world/thread.ts";

describe("from a thread in Slack to a pull request at GitHub, without a webhook", () => {
  let world: World;
  let team: Team;
  let workspace: SlackTeam;
  beforeAll(async () => {
    world = await startWorld();
    team = await aTeam(world, "acme");
    workspace = await aSlackTeam(team, { socketMode: true });
  });
  afterAll(() => world?.close());

  const app = () => world.client.get<SlackApp>(SlackAppKind, { namespace: team.namespace, name: "slack" });
  const arrival = async () =>
    (await app()).status?.conditions?.find(({ type }) => type === "WebhookInstalled") ?? {
      reason: "none",
      message: "",
    };

  it("says that it is connected and which gateway holds the connection, and has no URL", async () => {
    expect(await arrival()).toMatchObject({
      status: "True",
      reason: "Connected",
      message: expect.stringMatching(/^Connected by Socket Mode since \S+, held by gateway gateway\.$/) as string,
    });
    expect((await app()).status?.webhookURL).toBeUndefined();
  });

  it("works on a request, answers a slash command, and finishes after a crash of the gateway", async () => {
    const { ana, channel, untilReport } = workspace;
    const { slack } = world;
    expect(JSON.stringify(await ana.command(channel, "/bellhop", "help"))).toContain("Write /bellhop");
    const request = await ana.mentions(channel, "please fix this\nRepository: acme/shop");
    await world.kill("gateway");
    await world.start("gateway");
    await untilReport(request, "the final report", (seen) => shownText(seen).includes("Done in"));
    expect(await team.read<Pull[]>("/repos/acme/shop/pulls?state=all")).toHaveLength(1);
    slack.assertClean();
  });

  it("says what is wrong when Socket Mode is off, and connects when it is on again", async () => {
    await world.slack.people.setSocketMode({ on: false });
    await expect.poll(async () => (await arrival()).reason, { timeout: 60_000 }).toBe("SocketModeOff");
    expect((await arrival()).message).toContain("Turn it on, on the app's page Socket Mode.");
    await world.slack.people.setSocketMode({ on: true });
    await expect.poll(async () => (await arrival()).reason, { timeout: 90_000 }).toBe("Connected");
  });
});
