import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grantSecretName } from "../../../src/controllers/install/grant-secret.ts";
import { SlackAppKind, slackAppSpec, type SlackApp } from "../../../src/api/slack-app.ts";
import { isNotFound } from "../../../src/kube/errors.ts";
import { secrets } from "../../../src/kube/resources.ts";
import { Browser } from "../../browser.ts";
import { eventually } from "../../cluster/namespace.ts";
import { shownText } from "../../providers/slack/see.ts";
import { startWorld, type World } from "./world/index.ts";
import { aTeam, type Team } from "./world/team.ts";

describe("a Slack app that several workspaces install", () => {
  let world: World;
  let team: Team;
  let key: { namespace: string; name: string };
  let ids: { acme: string; globex: string };
  const browser = new Browser();
  beforeAll(async () => {
    world = await startWorld();
    await world.start("operator-2");
    team = await aTeam(world, "acme");
    const { slack } = world;
    const [acme, globex] = [
      await slack.people.createTeam({ domain: "acme" }),
      await slack.people.createTeam({ domain: "globex" }),
    ];
    ids = { acme: acme.id, globex: globex.id };
    await slack.people.createUser({ name: "ana", team: "acme" });
    await slack.people.createUser({ name: "gil", team: "globex" });
    key = { namespace: team.namespace, name: "slack" };
    await createApp();
  });
  afterAll(() => world?.close());

  async function createApp(): Promise<void> {
    const { slack, client } = world;
    const { installURL } = { installURL: await expectedInstallURL() };
    const app = await slack.people.createApp({ name: "bellhop", redirectUrls: [`${installURL}/callback`] });
    const annotations = { "bellhop.dev/allowed-for": `SlackApp/${new URL(slack.url).host}` };
    await client.create(secrets, {
      metadata: { name: "slack-app", namespace: team.namespace, annotations },
      stringData: { client: app.clientSecret, signing: app.signingSecret },
    });
    const stored = await client.get<SlackApp>(SlackAppKind, key);
    const oauth = { ...stored.spec.credentials.oauth, clientId: app.clientId };
    await client.mergePatch(SlackAppKind, key, { spec: { credentials: { oauth } } });
  }

  /** The SlackApp is created first, as the guide says: it has its addresses before the app exists at Slack. */
  async function expectedInstallURL(): Promise<string> {
    const { slack, client } = world;
    const spec = slackAppSpec.parse({
      url: slack.url,
      credentials: {
        oauth: {
          clientId: "1.1",
          clientSecretRef: { name: "slack-app", key: "client" },
          workspaces: [ids.acme, ids.globex],
        },
        signingSecretRef: { name: "slack-app", key: "signing" },
      },
      codeHostRef: { kind: "GitHubIntegration", name: team.integration },
      triggers: [{ name: "mention", mention: {} }],
      profileRef: { name: "default" },
      reporting: { updateEvery: "1s" },
    });
    await client.create(SlackAppKind, { metadata: key, spec });
    const { status } = await until("its install page", ({ status }) => status?.installURL !== undefined);
    return status?.installURL ?? "";
  }

  async function until(describe: string, wanted: (app: SlackApp) => boolean): Promise<SlackApp> {
    const probe = async (): Promise<SlackApp> => {
      const app = await world.client.get<SlackApp>(SlackAppKind, key);
      if (!wanted(app)) throw new Error(`its status is ${JSON.stringify(app.status)}\n${world.logs()}`);
      return app;
    };
    return eventually(probe, { describe, timeoutMs: 90_000, everyMs: 200 });
  }

  const ready = ({ status }: SlackApp) => status?.conditions?.find(({ type }) => type === "Ready");

  /** Mentions the bot in a new channel of a workspace, and waits for the final report there. */
  async function answered(as: string, domain: "acme" | "globex"): Promise<void> {
    const { slack } = world;
    const { bot } = slack.installation("bellhop", domain);
    const { id: channel } = await slack.people.createChannel({
      name: `shop-${domain}`,
      members: [as, bot.id],
      team: domain,
    });
    const request = await slack.people.mentions({ as, channel, text: `please fix this\nRepository: ${team.repo}` });
    const report = (): boolean =>
      slack.messages(channel, { thread: request.ts }).some((message) => shownText(message).includes("Done in"));
    await eventually(
      async () => {
        if (report()) return true;
        const tasks = world.tasks.list(team.namespace).map(({ status }) => JSON.stringify(status));
        throw new Error(
          [...tasks, JSON.stringify(slack.deliveries().slice(-3)), world.logs(team.namespace)].join("\n"),
        );
      },
      { describe: `the final report in ${domain}`, timeoutMs: 150_000 },
    );
    const posted = slack.calls("chat.postMessage").filter(({ params }) => params["channel"] === channel);
    expect(new Set(posted.map(({ identity }) => identity))).toEqual(new Set([`bellhop in ${domain}`]));
  }

  it("says where to install it, and works in the first workspace while the second is missing", async () => {
    const { slack } = world;
    const before = await until("the advice", (app) => ready(app)?.reason === "NotInstalled");
    const { installURL = "", webhookURL = "" } = before.status ?? {};
    expect(ready(before)?.message).toContain(
      `${ids.acme}; ${ids.globex}: an administrator of each opens ${installURL}`,
    );
    await slack.people.setRequestUrl({ url: webhookURL });
    const { location = "" } = await browser.open(installURL);
    const back = await slack.people.approveInstall({ as: "ana", url: location });
    expect(await browser.open(back)).toMatchObject({ status: 200 });
    const { status } = await until("the first workspace", (app) => ready(app)?.reason === "InstallationsMissing");
    expect(status?.installations).toMatchObject([{ id: ids.acme, account: "acme" }]);
    expect(status?.conditions?.find(({ type }) => type === "Stalled")?.message).toMatch(
      new RegExp(`^not installed in ${ids.globex}: `),
    );
    await answered("ana", "acme");
  });

  it("goes on after a restart of the operator between the two pages, and answers each workspace with its own token", async () => {
    const { slack } = world;
    const { location = "" } = await browser.open(
      (await world.client.get<SlackApp>(SlackAppKind, key)).status?.installURL ?? "",
    );
    await world.kill("operator");
    const back = await slack.people.approveInstall({ as: "gil", url: location });
    await world.start("operator");
    // The other operator leads from now on, so a standby serves this page.
    const page = () => browser.open(back).catch(() => undefined);
    await expect.poll(async () => (await page())?.status, { timeout: 60_000 }).toBe(200);
    const { status } = await until("the second workspace", (app) => ready(app)?.status === "True");
    expect(status?.installations?.map(({ id }) => id).sort()).toEqual([ids.acme, ids.globex].sort());
    await answered("gil", "globex");
    slack.assertClean();
  });

  it("shows that a workspace removed the app, and still works in the other one", async () => {
    await world.slack.people.removeApp({ team: "acme" });
    await world.client.mergePatch(SlackAppKind, key, { metadata: { annotations: { "example.com/check": "now" } } });
    const { status } = await until("the removed app", ({ status }) =>
      (status?.installations ?? []).some(({ problem }) => problem !== undefined),
    );
    expect(status?.installations?.find(({ id }) => id === ids.acme)?.problem).toContain("the app was removed");
    expect(status?.conditions?.find(({ type }) => type === "CredentialsValid")?.status).toBe("True");
  });

  it("revokes and removes the tokens when it is deleted", async () => {
    const { client, slack, namespace } = world;
    const { metadata } = await client.get<SlackApp>(SlackAppKind, key);
    const stored = { namespace, name: grantSecretName(metadata.uid ?? "") };
    expect(Object.keys((await client.get(secrets, stored)).data ?? {})).toContain(`grant.${ids.globex}`);
    await client.delete(SlackAppKind, key);
    const isGone = () => client.get(SlackAppKind, key).then(() => false, isNotFound);
    await expect.poll(isGone, { timeout: 60_000 }).toBe(true);
    expect(await client.find(secrets, stored)).toBeUndefined();
    expect(slack.installation("bellhop", "globex").revoked).toBe(true);
  });
});
