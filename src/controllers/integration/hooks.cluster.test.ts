import { beforeEach, describe, expect, it } from "vitest";
import { failing } from "../../../test/providers/github/index.ts";
import { call } from "../../../test/providers/github/testing.ts";
import { GitHubIntegrationKind, type GitHubIntegration } from "../../api/kinds.ts";
import { secrets } from "../../kube/resources.ts";
import { integrationTests } from "./cluster/testing.ts";
import { appCredentials, conditionOf, lastDelivery } from "./testing.ts";

const given = integrationTests();
const { again, hooksOf, settle } = given;

const forbidden = { kind: "answer", status: 403, body: { message: "Resource not accessible" } } as const;

const at = (name: string) => ({ name, namespace: given.world.namespace });

async function rotate(at: string): Promise<void> {
  const annotations = { "bellhop.dev/rotate-requested-at": at };
  await given.client.mergePatch(
    GitHubIntegrationKind,
    { name: "shop", namespace: given.world.namespace },
    { metadata: { annotations } },
  );
}

/** What is changed at a repository's hooks meanwhile. */
async function writesAt(repo: string, work: () => Promise<unknown>): Promise<string[]> {
  const before = given.world.github.requests.length;
  await work();
  return given.world.github.requests
    .slice(before)
    .filter(({ method, path }) => method !== "GET" && path.startsWith(`/repos/${repo}/hooks`))
    .map(({ method }) => method);
}

async function remove(name = "shop"): Promise<GitHubIntegration | undefined> {
  await given.client.delete(GitHubIntegrationKind, at(name));
  await given.world.reconcile(name);
  return given.client.find(GitHubIntegrationKind, at(name));
}

describe("hooks that a person takes over", () => {
  const manual = { webhook: { install: "Manual", acceptedKeysRef: { name: "hook", key: "value" } } };
  const change = (spec: object) => given.client.mergePatch(GitHubIntegrationKind, at("shop"), { spec });
  const byHand = async (url = "") => {
    const config = { url, content_type: "json", secret: "by-hand" };
    await call(given.world.github, "POST /repos/acme/shop/hooks", given.token, {
      name: "web",
      config,
      events: ["issues"],
    });
  };
  beforeEach(() => given.world.secret("hook", "by-hand"));

  it("are removed where we made them, and the person's own stays, also at the end", async () => {
    await settle();
    await change(manual);
    const after = await again();
    expect(await hooksOf()).toEqual([]);
    expect(after.status?.hooks).toEqual([]);
    expect(conditionOf(after, "WebhookInstalled")).toMatchObject({ status: "True", reason: "Manual" });
    expect(given.world.events.at(-1)?.message).toContain("Hooks that Bellhop made were removed");
    await byHand(after.status?.webhookURL);
    await again();
    expect(await remove()).toBeUndefined();
    expect(await hooksOf()).toHaveLength(1);
  });

  it("are removed at the end too where the change was not seen before", async () => {
    await settle();
    await change(manual);
    expect(await remove()).toBeUndefined();
    expect(await hooksOf()).toEqual([]);
  });

  it("are not rotated on request, which is said once", async () => {
    await settle("shop", manual);
    const annotations = { "bellhop.dev/rotate-requested-at": "2026-01-01T00:00:00Z" };
    await given.client.mergePatch(GitHubIntegrationKind, at("shop"), { metadata: { annotations } });
    expect((await again()).status?.lastHandledRotateAt).toBe("2026-01-01T00:00:00.000Z");
    await again();
    expect(
      given.world.events.filter(({ type, reason }) => type === "Warning" && reason === "RotationRefused"),
    ).toHaveLength(1);
  });

  it("are named where they cannot be removed, and stay known", async () => {
    await settle();
    await change(manual);
    given.world.github.fail({ path: "/repos/acme/shop/hooks*" }, forbidden);
    const integration = await again();
    expect(integration.status?.hooks).toHaveLength(1);
    expect(conditionOf(integration, "WebhookInstalled")).toMatchObject({
      reason: "HooksLeftBehind",
      message: expect.stringContaining("acme/shop") as string,
    });
  });

  it("are signed with our key again when the person hands them back", async () => {
    const before = await settle("shop", manual);
    await byHand(before.status?.webhookURL);
    await change({ webhook: { install: "Auto" } });
    await again();
    await change(manual);
    await again();
    await byHand(before.status?.webhookURL);
    await change({ webhook: { install: "Auto" } });
    await again();
    await given.world.github.people.openIssue({ as: "ana", repo: "acme/shop", title: "Login fails" });
    const current = (await given.world.hookSecret(before))?.current ?? "";
    expect(lastDelivery(given.world).signedWith(current)).toBe(true);
  });
});

describe("hooks of an installation that moved to another address", () => {
  it.each([
    ["of an App", () => ({ credentials: appCredentials(given.world) })],
    ["of repositories", () => ({})],
  ])("%s are still ours, and are set to the new one", async (_name, spec) => {
    await given.world.secret("app", given.world.github.app("bellhop").privateKey);
    const before = await settle("shop", spec());
    given.world.config.externalURL = "https://new.example.com";
    given.world.gateways.has = "silent";
    await given.client.mergePatch(GitHubIntegrationKind, at("shop"), {
      metadata: { annotations: { "bellhop.dev/rotate-requested-at": "2026-01-01T00:00:00Z" } },
    });
    // Held by a gateway meanwhile, whose address must not be forgotten.
    expect((await again()).status?.webhookURL).toBe(before.status?.webhookURL);
    given.world.gateways.has = "all";
    const after = await again();
    expect(conditionOf(after, "WebhookInstalled")).toMatchObject({ status: "True", reason: "Installed" });
    expect(after.status?.webhookURL).toMatch(/^https:\/\/new\.example\.com\/hooks\//);
    expect(after.status?.hooks?.map(({ id }) => id)).toEqual(before.status?.hooks?.map(({ id }) => id));
  });
});

describe("hooks of which some cannot be had", () => {
  it("stand where they can, are known, and the others are named", async () => {
    const integration = await settle("shop", { repositories: ["acme/shop", "acme/nope", "acme/till"] });
    expect(integration.status?.hooks?.map(({ target }) => target)).toEqual(["acme/shop", "acme/till"]);
    const { status, reason, message } = conditionOf(integration, "WebhookInstalled") ?? {};
    expect({ status, reason }).toEqual({ status: "False", reason: "InstallFailed" });
    expect(message).toMatch(/acme\/nope/);
    expect(await remove()).toBeUndefined();
    expect([...(await hooksOf()), ...(await hooksOf("acme/till"))]).toEqual([]);
    expect(given.world.events.filter((event) => event.reason === "HooksLeftBehind")).toEqual([]);
  });

  it("stay known when they cannot be looked at any more", async () => {
    const repositories = ["acme/shop", "acme/till"];
    const before = await settle("shop", { repositories });
    const failure = given.world.github.fail({ path: "/repos/acme/shop/hooks*" }, forbidden);
    const after = await again();
    expect(conditionOf(after, "WebhookInstalled")).toMatchObject({ status: "False", reason: "InstallFailed" });
    expect(after.status?.hooks).toHaveLength(2);
    expect(after.status?.hooks).toEqual(expect.arrayContaining(before.status?.hooks ?? []));
    failure.stop();
    expect(conditionOf(await again(), "Ready")).toMatchObject({ status: "True" });
  });

  it("keep the verdict over a pause of the provider's, and are tried again soon", async () => {
    await settle("shop", { repositories: ["acme/shop", "acme/till"] });
    given.world.github.fail({ path: "/repos/acme/shop/hooks*" }, failing.badGateway());
    const { requeueAfterMs } = await given.world.reconcile("shop");
    expect(requeueAfterMs).toBeLessThanOrEqual(15_000);
    expect(conditionOf(await given.world.read("shop"), "WebhookInstalled")).toMatchObject({ status: "True" });
  });

  it.each([
    { where: "a hook", path: "/repos/acme/shop/hooks*" },
    { where: "the sign-in", path: "/user" },
  ])("are not asked for without a pause where $where is to be tried again at once", async ({ path }) => {
    await settle("shop", { repositories: ["acme/shop", "acme/till"] });
    const body = { message: "Back in a moment" };
    given.world.github.fail({ path }, { kind: "answer", status: 503, headers: { "retry-after": "0" }, body });
    expect((await given.world.reconcile("shop")).requeueAfterMs).toBe(1_000);
    await given.world.create("new", { repositories: ["acme/shop"] });
    expect((await given.world.reconcile("new")).requeueAfterMs).toBe(1_000);
  });

  it("leave the others alone, whose key is rotated all the same", async () => {
    const before = await settle("shop", { repositories: ["acme/shop", "acme/nope"] });
    const looked = await writesAt("acme/shop", again);
    expect(looked).toEqual([]);
    await rotate("2026-01-01T00:00:00Z");
    expect(await writesAt("acme/shop", again)).toEqual(["PATCH"]);
    expect(await writesAt("acme/shop", again)).toEqual([]);
    const secret = await given.world.hookSecret(before);
    expect(secret).toMatchObject({ generation: 2, installed: 2, keyed: { "acme/shop": 2 } });
    given.world.later(2 * 24 * 3_600_000);
    await again();
    expect((await given.world.hookSecret(before))?.previous).toBeUndefined();
  });

  it("hold back a rotation, which says so, where they have the key before, and then get theirs alone", async () => {
    const before = await settle("shop", { repositories: ["acme/shop", "acme/till"] });
    const failure = given.world.github.fail({ path: "/repos/acme/till/hooks*" }, forbidden);
    await rotate("2026-01-01T00:00:00Z");
    expect(await writesAt("acme/shop", again)).toEqual(["PATCH"]);
    await rotate("2026-01-02T00:00:00Z");
    expect(await writesAt("acme/shop", again)).toEqual([]);
    expect(await given.world.hookSecret(before)).toMatchObject({ generation: 2, installed: 1 });
    expect(conditionOf(await given.world.read("shop"), "WebhookInstalled")).toMatchObject({
      reason: "InstallFailed",
      message: expect.stringContaining("The rotation that was asked for begins once every hook") as string,
    });
    failure.stop();
    expect(await writesAt("acme/shop", again)).toEqual([]);
    expect(await given.world.hookSecret(before)).toMatchObject({
      generation: 2,
      installed: 2,
      keyed: { "acme/shop": 2, "acme/till": 2 },
    });
  });

  it("get today's key where they are found again by our address alone", async () => {
    const made = await settle("shop", { repositories: ["acme/shop", "acme/till"] });
    const hooks = made.status?.hooks?.filter(({ target }) => target === "acme/shop");
    await given.client.replaceStatus(GitHubIntegrationKind, { ...made, status: { ...made.status, hooks } });
    const failure = given.world.github.fail({ path: "/repos/acme/till/hooks*" }, forbidden);
    await rotate("2026-01-01T00:00:00Z");
    await again();
    failure.stop();
    expect(await writesAt("acme/till", again)).toEqual(["PATCH"]);
    expect(await writesAt("acme/till", again)).toEqual([]);
  });

  it("say the same at each look while the provider pauses and a rotation waits", async () => {
    await settle("shop", { repositories: ["acme/shop", "acme/till"] });
    await rotate("2026-01-01T00:00:00Z");
    await again();
    await rotate("2026-01-02T00:00:00Z");
    await again();
    given.world.github.fail({ path: "/repos/acme/till/hooks*" }, failing.badGateway());
    const said = new Set<string | undefined>();
    for (let look = 1; look <= 4; look++) said.add(conditionOf(await again(), "WebhookInstalled")?.message);
    expect([...said]).toEqual([
      expect.stringMatching(
        /^acme\/shop, acme\/till deliver to \S+; not looked at for a pause: acme\/till\. The rotation/,
      ),
    ]);
  });

  it("are removed where they can at the end, and those that are left are named", async () => {
    await settle("shop", { repositories: ["acme/shop", "acme/till"] });
    given.world.github.fail({ path: "/repos/acme/shop/hooks*" }, forbidden);
    given.world.events.length = 0;
    expect(await remove()).toBeUndefined();
    expect(await hooksOf("acme/till")).toEqual([]);
    expect(given.world.events).toContainEqual(
      expect.objectContaining({
        type: "Warning",
        reason: "HooksLeftBehind",
        message: expect.stringMatching(/remove them there: acme\/shop: /) as string,
      }),
    );
  });

  it("are found in every repository of the spec at the end, known or not", async () => {
    const integration = await settle("shop", { repositories: ["acme/shop", "acme/till"] });
    await given.client.replaceStatus(GitHubIntegrationKind, {
      ...integration,
      status: { ...integration.status, hooks: [] },
    });
    expect(await remove()).toBeUndefined();
    expect([...(await hooksOf()), ...(await hooksOf("acme/till"))]).toEqual([]);
  });

  it("are removed although the Secret with their address is gone", async () => {
    await settle();
    const kept = await given.client.list(secrets, { namespace: given.world.namespace });
    const hookSecret = kept.items.find(({ metadata }) => metadata.name.startsWith("bellhop-hook-"));
    await given.client.delete(secrets, at(hookSecret?.metadata.name ?? ""));
    expect(await remove()).toBeUndefined();
    expect(await hooksOf()).toEqual([]);
  });
});
