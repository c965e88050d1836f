import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/shared/fake-clock.ts";
import { WebClient } from "@slack/web-api";
import { startSlack } from "./index.ts";
import type { App, SlackStandIn } from "./index.ts";
import { client, startReceiver } from "./testing.ts";

let slack: SlackStandIn;
let clock: FakeClock;
let app: App;
let web: WebClient;

const redirectUri = "https://bellhop.example/slack/callback";

beforeEach(async () => {
  clock = new FakeClock("2026-03-01T12:00:00Z");
  slack = await startSlack({ plainHttp: true, clock });
  const { people } = slack;
  await people.createTeam({ domain: "acme" });
  await people.createTeam({ domain: "grid", enterprise: "Grid Inc" });
  await people.createUser({ name: "ana" });
  await people.createUser({ name: "gil", team: "grid" });
  app = await people.createApp({ name: "bellhop", redirectUrls: [redirectUri] });
  web = new WebClient(undefined, { slackApiUrl: slack.apiUrl });
});
afterEach(async () => {
  slack.assertClean();
  await slack.close();
});

/** The code and state that the browser brings back. */
async function approve(as: string, organisationWide = false): Promise<{ code: string; state: string | null }> {
  const query = new URLSearchParams({ client_id: app.clientId, scope: "chat:write,users:read", state: "s1" });
  query.set("redirect_uri", redirectUri);
  const back = new URL(
    await slack.people.approveInstall({
      as,
      organisationWide,
      url: `${slack.url}/oauth/v2/authorize?${query.toString()}`,
    }),
  );
  return { code: back.searchParams.get("code") ?? "", state: back.searchParams.get("state") };
}

function exchange(code: string, more: object = {}) {
  const given = { code, client_id: app.clientId, client_secret: app.clientSecret, redirect_uri: redirectUri };
  return web.oauth.v2.access({ ...given, ...more });
}

describe("the install flow", () => {
  it("gives a token of the person's workspace for a code, once", async () => {
    const { code, state } = await approve("ana");
    expect(state).toBe("s1");
    const granted = await exchange(code);
    expect(granted).toMatchObject({ token_type: "bot", team: { name: "acme" }, scope: "chat:write,users:read" });
    expect(granted.enterprise).toBeNull();
    const { access_token: token = "" } = granted;
    expect(await client(slack, token).auth.test()).toMatchObject({ team: "acme", user: "bellhop" });
    await expect(exchange(code)).rejects.toMatchObject({ data: { error: "invalid_code" } });
    expect(JSON.stringify(slack.calls())).not.toContain(token);
  });

  it("installs the app in several workspaces, and names the organisation of one", async () => {
    const first = await exchange((await approve("ana")).code);
    const second = await exchange((await approve("gil")).code);
    expect(second).toMatchObject({ team: { name: "grid" }, enterprise: { name: "Grid Inc" } });
    expect(first.team?.id).not.toBe(second.team?.id);
    expect(first.access_token).not.toBe(second.access_token);
  });

  it("installs the app for a whole organisation: one token for all its workspaces", async () => {
    const { people } = slack;
    const second = await people.createTeam({ domain: "grid-two", enterprise: "Grid Inc" });
    await people.createUser({ name: "gus", team: "grid-two" });
    const granted = await exchange((await approve("gil", true)).code);
    expect(granted).toMatchObject({ team: null, enterprise: { name: "Grid Inc" }, is_enterprise_install: true });
    await people.setScopes({ team: "grid-two", scopes: app.scopes });
    const own = client(slack, granted.access_token);
    const { id: channel } = await people.createChannel({ name: "far", members: ["gus", "bellhop"] });
    await own.chat.postMessage({ channel, text: "hello" });
    const { id: foreign } = await people.createChannel({ name: "foreign", members: ["ana"] });
    await expect(own.conversations.info({ channel: foreign })).rejects.toThrow("channel_not_found");

    const receiver = await startReceiver();
    Object.assign(app, { eventsUrl: receiver.url, commands: new Map([["/bellhop", receiver.url]]) });
    await slack.person("gus").mentions("far", "hello");
    await slack.person("gus").command("far", "/bellhop");
    const enterprise_id = second.enterprise?.id;
    expect(receiver.received[0]?.payload).toMatchObject({
      team_id: second.id,
      enterprise_id,
      authorizations: [{ enterprise_id, team_id: null, is_enterprise_install: true }],
    });
    expect(receiver.received.at(-1)?.payload).toMatchObject({ team_id: second.id, is_enterprise_install: "true" });
    await receiver.close();
  });

  it("refuses a wrong secret, a wrong redirect URL, and a code after ten minutes", async () => {
    const { code } = await approve("ana");
    const refused = (error: string) => ({ data: { error } });
    await expect(exchange(code, { client_secret: "x" })).rejects.toMatchObject(refused("bad_client_secret"));
    await expect(exchange(code, { client_id: "1.2" })).rejects.toMatchObject(refused("invalid_client_id"));
    const wrong = { redirect_uri: "https://evil.example" };
    await expect(exchange(code, wrong)).rejects.toMatchObject(refused("bad_redirect_uri"));
    const { code: late } = await approve("ana");
    await clock.advance(600_000);
    await expect(exchange(late)).rejects.toMatchObject(refused("invalid_code"));
  });

  it("sends the browser back with access_denied if the person declines", async () => {
    const url = `${slack.url}/oauth/v2/authorize?client_id=${app.clientId}&state=s2`;
    expect(await slack.people.declineInstall({ url })).toBe(`${redirectUri}?error=access_denied&state=s2`);
  });

  it("revokes a token at the app's request", async () => {
    const { access_token: token = "" } = await exchange((await approve("ana")).code);
    const own = client(slack, token);
    expect(await own.auth.revoke({ test: true })).toMatchObject({ revoked: false });
    expect(await own.auth.revoke()).toMatchObject({ revoked: true });
    await expect(own.auth.test()).rejects.toMatchObject({ data: { error: "token_revoked" } });
  });

  it("removes the app at its own request", async () => {
    const { access_token: token = "" } = await exchange((await approve("ana")).code);
    const own = client(slack, token);
    const { clientId: client_id, clientSecret: client_secret } = app;
    await expect(own.apps.uninstall({ client_id, client_secret: "x" })).rejects.toThrow("bad_client_secret");
    await own.apps.uninstall({ client_id, client_secret });
    await expect(own.auth.test()).rejects.toMatchObject({ data: { error: "account_inactive" } });
  });
});
