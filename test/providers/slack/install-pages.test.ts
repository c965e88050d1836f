import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Browser } from "../../browser.ts";
import { SlackAppKind } from "../../../src/api/slack-app.ts";
import { secrets } from "../../../src/kube/resources.ts";
import type { ObjectKey } from "../../../src/kube/types.ts";
import { failing } from "./index.ts";
import { anInstallWorld, type InstallWorld } from "./install-pages.ts";

let world: InstallWorld;
let [acme, globex, grid, organisation] = ["", "", "", ""];

async function begin(options: { tokenRotation?: boolean } = {}): Promise<void> {
  world = await anInstallWorld(options);
  ({ acme, globex, grid, organisation } = world.ids);
}
beforeEach(() => begin());
afterEach(async () => {
  world.slack.assertClean();
  await world.close();
});

const tokensOf = async (name: string) =>
  Object.fromEntries((await world.grants(name)).grants.map(({ account, accessToken }) => [account, accessToken]));

describe("an installation", () => {
  it("stores the token of the workspace in the operator's namespace, and says where the app is installed", async () => {
    const { metadata } = await world.aSlackApp("slack", { workspaces: [acme] });
    const page = await world.install("slack", "ana");
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining(`installed in acme (${acme})`) as string });
    const token = (await tokensOf("slack"))[acme] ?? "";
    expect(token).toBe(world.slack.installation("bellhop", "acme").token);
    expect(world.events).toMatchObject([{ reason: "Installed", message: `Installed in acme (${acme}).` }]);
    const stored = world.client.objects(SlackAppKind).find(({ metadata: { name } }) => name === "slack");
    expect(stored?.metadata.annotations).toHaveProperty("bellhop.dev/installed-at");
    expect(stored?.metadata.uid).toBe(metadata.uid);
    const { identity } = await world.connect("slack");
    expect(await identity.check(AbortSignal.timeout(20_000))).toMatchObject({
      bot: { login: "bellhop" },
      installations: [{ id: acme, account: "acme" }],
    });
  });

  it("asks for exactly the scopes that the provider checks, and for the redirect URL of this integration", async () => {
    await world.aSlackApp("slack", { workspaces: [acme] });
    const { location = "", status } = await new Browser().open(world.startOf("slack"));
    const { pathname, searchParams } = new URL(location);
    expect({ status, pathname }).toEqual({ status: 303, pathname: "/oauth/v2/authorize" });
    expect(searchParams.get("redirect_uri")).toBe(`${world.startOf("slack")}/callback`);
    expect(searchParams.get("scope")).toContain("app_mentions:read");
    expect(searchParams.get("scope")).not.toContain("usergroups:read");
  });

  it("works on another replica, and after a restart between the two pages", async () => {
    await world.aSlackApp("slack", { workspaces: [acme] });
    const browser = new Browser();
    const { location } = await browser.open(world.startOf("slack"));
    await world.restart();
    const back = await world.slack.people.approveInstall({ as: "ana", url: location ?? "" });
    expect(await browser.open(back)).toMatchObject({ status: 200 });
  });

  it("puts no secret into a log, a page, an Event or a status", async () => {
    await world.aSlackApp("slack", { workspaces: [acme] });
    const browser = new Browser();
    const { location = "" } = await browser.open(world.startOf("slack"));
    const back = await world.slack.people.approveInstall({ as: "ana", url: location });
    const { text } = await browser.open(back);
    const { stateKey, grants } = await world.grants("slack");
    const query = new URL(back).searchParams;
    const seen = [
      world.logged(),
      text,
      JSON.stringify(world.events),
      JSON.stringify(world.client.objects(SlackAppKind)),
    ];
    const hidden = [stateKey, query.get("code"), query.get("state"), ...browser.cookies(), world.app.clientSecret];
    for (const secret of [...hidden, ...grants.map(({ accessToken }) => accessToken)])
      expect(seen.filter((place) => place.includes(secret ?? ""))).toEqual([]);
  });

  it("keeps the tokens of several workspaces, each for itself", async () => {
    await world.aSlackApp("slack", { workspaces: [acme, globex] });
    const browser = new Browser();
    await world.install("slack", "ana", { browser });
    await world.install("slack", "gil", { browser });
    expect(Object.keys(await tokensOf("slack")).sort()).toEqual([acme, globex].sort());
  });

  it("lets one browser install two workspaces at the same time", async () => {
    await world.aSlackApp("slack", { workspaces: [acme, globex] });
    const browser = new Browser();
    const [first, second] = [await browser.open(world.startOf("slack")), await browser.open(world.startOf("slack"))];
    for (const [as, { location = "" }] of [
      ["gil", second],
      ["ana", first],
    ] as const) {
      const back = await world.slack.people.approveInstall({ as, url: location });
      expect(await browser.open(back)).toMatchObject({ status: 200 });
    }
  });

  it("gives an organisation one token for all its workspaces", async () => {
    await world.aSlackApp("slack", { workspaces: [organisation] });
    await world.install("slack", "gus", { organisationWide: true });
    expect(Object.keys(await tokensOf("slack"))).toEqual([organisation]);
    const { identity, authorizer } = await world.connect("slack");
    const { installations } = await identity.check(AbortSignal.timeout(20_000));
    expect(installations).toMatchObject([{ id: organisation, account: "Grid Inc" }]);
    const { gus: id } = world.ids;
    const source = { provider: "slack", cause: "x", instance: grid, subject: { type: "Thread", key: "#x" } } as const;
    const request = { source, actor: { id, login: "gus" } };
    expect(await authorizer.may(request, AbortSignal.timeout(20_000))).toMatchObject({ allowed: true });
  });
});

describe("a workspace that the spec does not name", () => {
  it("is refused by its id; its token is revoked and not stored", async () => {
    await world.aSlackApp("slack", { workspaces: [acme] });
    const page = await world.install("slack", "gil");
    expect(page.status).toBe(403);
    expect(page.text).toContain(
      `globex (${globex}) is not in spec.credentials.oauth.workspaces of SlackApp team/slack`,
    );
    expect(page.text).toContain(`To allow it, add ${globex} there`);
    expect((await world.grants("slack")).grants).toEqual([]);
    expect(world.slack.installation("bellhop", "globex").revoked).toBe(true);
    expect(world.events).toMatchObject([{ type: "Warning", reason: "InstallRefused" }]);
  });

  it("is refused also if its organisation is allowed, because the token is not the organisation's", async () => {
    await world.aSlackApp("slack", { workspaces: [organisation] });
    expect(await world.install("slack", "gus")).toMatchObject({ status: 403 });
    expect((await world.grants("slack")).grants).toEqual([]);
  });

  it("loses its grant as soon as the spec does not name it any more", async () => {
    await world.aSlackApp("slack", { workspaces: [acme, globex] });
    await world.install("slack", "ana");
    await world.install("slack", "gil");
    const stored = world.client.only(SlackAppKind);
    const oauth = { ...stored.spec.credentials.oauth, workspaces: [acme] };
    await world.client.replace(SlackAppKind, {
      ...stored,
      spec: { ...stored.spec, credentials: { ...stored.spec.credentials, oauth: oauth as never } },
    });
    const { identity } = await world.connect("slack");
    const { installations } = await identity.check(AbortSignal.timeout(20_000));
    expect(installations.map(({ id }) => id)).toEqual([acme]);
    await world.keep("slack");
    expect(Object.keys(await tokensOf("slack"))).toEqual([acme]);
    expect(world.slack.installation("bellhop", "globex").revoked).toBe(true);
  });
});

describe("the token of an app that is installed again, which is the one that it had", () => {
  beforeEach(async () => {
    await world.aSlackApp("slack", { workspaces: [acme] });
    await world.install("slack", "ana");
  });

  it("is not revoked if it cannot be stored: it is in use", async () => {
    const { before } = world.client;
    let writes = 0;
    world.client.before = async ({ verb }) => {
      // The first write records the state as used, the second one stores the grant.
      if (verb === "replace" && ++writes === 2) throw new Error("the API server is away");
    };
    expect((await world.install("slack", "ana")).status).toBeGreaterThanOrEqual(500);
    world.client.before = before;
    expect(writes).toBe(2);
    expect(world.slack.installation("bellhop", "acme").revoked).toBe(false);
  });

  it("is not revoked if the team stores it in a Secret of its own and leaves the install flow", async () => {
    const token = Buffer.from((await tokensOf("slack"))[acme] ?? "").toString("base64");
    const annotations = { "bellhop.dev/allowed-for": `SlackApp/${new URL(world.slack.url).host}` };
    const own = { metadata: { namespace: "team", name: "own", annotations }, data: { token } };
    world.client.seed(secrets, own);
    const stored = world.client.only(SlackAppKind);
    const { oauth: _, ...credentials } = stored.spec.credentials;
    const wanted = { ...credentials, botTokenSecretRef: { name: "own", key: "token" } };
    await world.client.replace(SlackAppKind, { ...stored, spec: { ...stored.spec, credentials: wanted } });
    await world.keep("slack");
    expect(world.slack.installation("bellhop", "acme").revoked).toBe(false);
    await expect(world.grants("slack")).rejects.toThrow("there is no Secret");
  });
});

describe("a callback", () => {
  const approved = async (name = "slack") => {
    const browser = new Browser();
    const { location = "" } = await browser.open(world.startOf(name));
    return { browser, back: await world.slack.people.approveInstall({ as: "ana", url: location }) };
  };
  const nothingStored = async () => {
    expect((await world.grants("slack")).grants).toEqual([]);
    expect(world.slack.calls("oauth.v2.access")).toEqual([]);
  };
  beforeEach(() => world.aSlackApp("slack", { workspaces: [acme] }));

  it("is refused in another browser: a stolen address is worth nothing without the cookie", async () => {
    const { back } = await approved();
    expect(await new Browser().open(back)).toMatchObject({
      status: 403,
      text: expect.stringContaining("not begun in this browser") as string,
    });
    const other = new Browser();
    await other.open(world.startOf("slack"));
    expect(await other.open(back)).toMatchObject({ status: 403 });
    await nothingStored();
  });

  it("works once", async () => {
    const { browser, back } = await approved();
    expect(await browser.open(back)).toMatchObject({ status: 200 });
    expect(await browser.open(back)).toMatchObject({
      status: 403,
      text: expect.stringContaining("was opened before") as string,
    });
    expect(world.slack.calls("oauth.v2.access")).toHaveLength(1);
  });

  it("works once also if it is opened twice at the same moment", async () => {
    const { browser, back } = await approved();
    // Every page has read the Secret before one of them records the state, as on different replicas.
    const all = Promise.withResolvers<void>();
    let arrived = 0;
    world.client.before = ({ verb, plural }) => {
      if (verb !== "find" || plural !== "secrets") return undefined;
      arrived += 1;
      if (arrived === 3) all.resolve();
      return all.promise;
    };
    const pages = await Promise.all([browser.open(back), browser.open(back), browser.open(back)]);
    expect(pages.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 403, 403]);
    expect(world.slack.calls("oauth.v2.access")).toHaveLength(1);
  });

  it("is refused after ten minutes", async () => {
    const { browser, back } = await approved();
    world.later(600_000);
    expect(await browser.open(back)).toMatchObject({
      status: 403,
      text: expect.stringContaining("more than ten minutes") as string,
    });
    await nothingStored();
  });

  it("is refused with the state of another integration", async () => {
    await world.aSlackApp("other", { workspaces: [acme] });
    const { browser, back } = await approved("other");
    expect(await browser.open(back.replace("/other/", "/slack/"))).toMatchObject({ status: 403 });
    await nothingStored();
  });

  it("is refused with a state of an integration that was deleted and created again under the same name", async () => {
    const { browser, back } = await approved();
    await world.client.delete(SlackAppKind, { namespace: "team", name: "slack" });
    await world.aSlackApp("slack", { workspaces: [acme] });
    expect(await browser.open(back)).toMatchObject({ status: 403 });
  });

  it.each(["", "x", "1.2.3", "999999999999.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])(
    "is refused with the state %j",
    async (state) => {
      const { browser } = await approved();
      const query = new URLSearchParams({ state, code: "c" });
      expect(await browser.open(`${world.startOf("slack")}/callback?${query.toString()}`)).toMatchObject({
        status: 403,
      });
      await nothingStored();
    },
  );

  it("says that the person declined, and can be begun again", async () => {
    const browser = new Browser();
    const { location = "" } = await browser.open(world.startOf("slack"));
    const back = await world.slack.people.declineInstall({ url: location });
    const page = await browser.open(back);
    expect(page).toMatchObject({ status: 403, text: expect.stringContaining("Access was declined") as string });
    expect(page.text).toContain('<a href="/install/slackapp/team/slack">');
    await nothingStored();
  });

  it("shows no text of a stranger", async () => {
    const browser = new Browser();
    const { location = "" } = await browser.open(world.startOf("slack"));
    const back = await world.slack.people.declineInstall({ url: location });
    const { text } = await browser.open(back.replace("access_denied", "%3Cscript%3Ealert(1)%3C%2Fscript%3E"));
    expect(text).not.toMatch(/script|alert/);
  });

  it("says that the client secret is wrong, without the secret", async () => {
    world.app.clientSecret = "another-secret-than-before";
    const { browser, back } = await approved();
    const page = await browser.open(back);
    expect(page).toMatchObject({ status: 502, text: expect.stringContaining("bad_client_secret") as string });
    expect(world.events).toMatchObject([{ type: "Warning", reason: "InstallFailed" }]);
    expect((await world.grants("slack")).grants).toEqual([]);
  });

  it("says that Slack is down, and can be begun again", async () => {
    const { browser, back } = await approved();
    world.slack.fail({ method: "oauth.v2.access" }, failing.serverError(503));
    expect(await browser.open(back)).toMatchObject({ status: 503 });
    world.slack.clearFailures();
    expect(await world.install("slack", "ana", { browser })).toMatchObject({ status: 200 });
  });

  it("stores nothing for an integration that is deleted meanwhile, and revokes the token", async () => {
    const { browser, back } = await approved();
    const { before } = world.client;
    world.client.before = async (call) => {
      // The finalizer deletes the Secret between the two writes: the state was recorded, the grant was not.
      const isGrant = call.verb === "replace" && JSON.stringify(call.body).includes("grant.");
      if (!isGrant) return;
      world.client.before = before;
      await world.client.delete(secrets, call.key as ObjectKey);
    };
    expect(await browser.open(back)).toMatchObject({ status: 404 });
    expect(world.slack.installation("bellhop", "acme").revoked).toBe(true);
  });
});

describe("the pages", () => {
  beforeEach(() => world.aSlackApp("slack", { workspaces: [acme] }));

  it("run and load nothing, are not stored, and send their address to nobody", async () => {
    const { headers, text } = await new Browser().open(`${world.startOf("slack")}/callback`);
    expect(headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(Object.fromEntries(headers)).toMatchObject({
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
    expect(text).not.toMatch(/<script|<img|http/);
  });

  it("set a cookie for this host only, which scripts cannot read", async () => {
    const { headers } = await new Browser().open(world.startOf("slack"));
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-bellhop-install=[\w-]{43}; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/),
    ]);
  });

  it.each([
    "/",
    "/install",
    "/install/slackapp/team/nobody",
    "/install/githubintegration/team/slack",
    "/install/slackapp/team/slack/more",
    "/install/slackapp/team/%2e%2e",
  ])("do not exist at %s", async (path) => {
    expect((await fetch(`${world.baseURL}${path}`)).status).toBe(404);
  });

  it("do not exist for a SlackApp with a bot token", async () => {
    const app = world.client.only(SlackAppKind);
    const credentials = { botTokenSecretRef: { name: "a", key: "b" }, signingSecretRef: { name: "a", key: "c" } };
    await world.client.replace(SlackAppKind, { ...app, spec: { ...app.spec, credentials } });
    expect((await fetch(world.startOf("slack"))).status).toBe(404);
  });

  it("accept neither other methods nor bodies nor long addresses", async () => {
    const url = world.startOf("slack");
    expect((await fetch(url, { method: "POST", body: "x" })).status).toBe(405);
    expect((await fetch(url, { method: "HEAD" })).status).toBe(405);
    expect((await fetch(`${url}?${"x".repeat(5_000)}`)).status).toBe(414);
    expect((await fetch(url, { headers: { "x-large": "x".repeat(20_000) } })).status).toBe(431);
  });

  it("stop exchanging codes for a while if there are too many", async () => {
    const browser = new Browser();
    const statuses: number[] = [];
    for (let at = 0; at < 12; at++) {
      const { location = "" } = await browser.open(world.startOf("slack"));
      const state = new URL(location).searchParams.get("state") ?? "";
      const query = new URLSearchParams({ state, code: "made-up" });
      statuses.push((await browser.open(`${world.startOf("slack")}/callback?${query.toString()}`)).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 502), 429, 429]);
    world.later(60_000);
    expect(await world.install("slack", "ana", { browser })).toMatchObject({ status: 200 });
  });
});

describe("a token that Slack rotates", () => {
  beforeEach(async () => {
    await world.close();
    await begin({ tokenRotation: true });
    await world.aSlackApp("slack", { workspaces: [acme] });
    await world.install("slack", "ana");
  });
  const check = async () => (await world.connect("slack")).identity.check(AbortSignal.timeout(20_000));
  const hourMs = 3_600_000;

  it("is refreshed before it expires, once", async () => {
    const [before] = (await world.grants("slack")).grants;
    expect(before).toMatchObject({ refreshToken: expect.stringMatching(/^xoxe-1-/) as string });
    await world.keep("slack");
    expect((await world.grants("slack")).grants).toEqual([before]);
    world.later(10 * hourMs);
    await world.keep("slack");
    await world.keep("slack");
    const [after] = (await world.grants("slack")).grants;
    expect(after?.accessToken).not.toBe(before?.accessToken);
    expect(after?.refreshToken).not.toBe(before?.refreshToken);
    expect(world.slack.calls("oauth.v2.access")).toHaveLength(2);
    world.later(10 * hourMs);
    expect(await check()).toMatchObject({ bot: { login: "bellhop" }, installations: [{ id: acme }] });
  });

  it("shows why it could not be refreshed, when it has expired, and is refreshed when Slack answers again", async () => {
    world.slack.fail({ method: "oauth.v2.access" }, failing.serverError(503));
    world.later(10 * hourMs);
    await world.keep("slack");
    expect((await check()).installations).toMatchObject([{ id: acme, botId: expect.any(String) as string }]);
    world.later(3 * hourMs);
    const { bot, installations } = await check();
    expect(bot).toBeUndefined();
    expect(installations).toMatchObject([
      { id: acme, problem: expect.stringContaining("could not be refreshed") as string },
    ]);
    world.slack.clearFailures();
    await world.keep("slack");
    expect((await check()).installations[0]?.problem).toBeUndefined();
  });

  it("of an installation meanwhile is not replaced by the refreshed one", async () => {
    world.later(10 * hourMs);
    const before = world.client.before;
    world.client.before = async ({ verb }) => {
      if (verb !== "replace") return;
      world.client.before = before;
      await world.install("slack", "ana");
    };
    await world.keep("slack");
    expect((await tokensOf("slack"))[acme]).toBe(world.slack.installation("bellhop", "acme").token);
  });
});

describe("a workspace that removed the app", () => {
  it("has a problem; the others still work", async () => {
    await world.aSlackApp("slack", { workspaces: [acme, globex] });
    await world.install("slack", "ana");
    await world.install("slack", "gil");
    await world.slack.people.removeApp({ team: "acme" });
    const { identity } = await world.connect("slack");
    const { bot, installations } = await identity.check(AbortSignal.timeout(20_000));
    expect(bot?.id).toBe(world.slack.installation("bellhop", "globex").bot.id);
    expect(installations).toEqual([
      { id: acme, account: "acme", problem: "the app was removed, or an administrator disabled it" },
      { id: globex, account: "globex", botId: bot?.id },
    ]);
    expect(await world.install("slack", "ana")).toMatchObject({ status: 200 });
    const again = await (await world.connect("slack")).identity.check(AbortSignal.timeout(20_000));
    expect(again.installations.every(({ problem }) => problem === undefined)).toBe(true);
  });
});
