import { beforeEach, describe, expect, it } from "vitest";
import { failing } from "../../../test/providers/github/index.ts";
import { call } from "../../../test/providers/github/testing.ts";
import { GitHubIntegrationKind, type GitHubIntegration } from "../../api/github-integration.ts";
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

/** Methods of the write requests to a repository's hooks during `work`. */
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

describe("hooks that are changed to manual management", () => {
  const manual = { webhook: { install: "Manual", acceptedKeysRef: { name: "hook", key: "value" } } };
  const change = (spec: object) => given.client.mergePatch(GitHubIntegrationKind, at("shop"), { spec });
  const createManualHook = async (url = "") => {
    const config = { url, content_type: "json", secret: "manual-secret" };
    await call(given.world.github, "POST /repos/acme/shop/hooks", given.token, {
      name: "web",
      config,
      events: ["issues"],
    });
  };
  beforeEach(() => given.world.secret("hook", "manual-secret"));

  it("are removed if we created them, and the manual hook stays, also on deletion", async () => {
    await settle();
    await change(manual);
    const after = await again();
    expect(await hooksOf()).toEqual([]);
    expect(after.status?.hooks).toEqual([]);
    expect(conditionOf(after, "WebhookInstalled")).toMatchObject({ status: "True", reason: "Manual" });
    expect(given.world.events.at(-1)?.message).toContain("Removed the hooks that Bellhop created");
    await createManualHook(after.status?.webhookURL);
    await again();
    expect(await remove()).toBeUndefined();
    expect(await hooksOf()).toHaveLength(1);
  });

  it("are removed on deletion even if the change was not reconciled before", async () => {
    await settle();
    await change(manual);
    expect(await remove()).toBeUndefined();
    expect(await hooksOf()).toEqual([]);
  });

  it("are not rotated on request, and one Event says so", async () => {
    await settle("shop", manual);
    const annotations = { "bellhop.dev/rotate-requested-at": "2026-01-01T00:00:00Z" };
    await given.client.mergePatch(GitHubIntegrationKind, at("shop"), { metadata: { annotations } });
    expect((await again()).status?.lastHandledRotateAt).toBe("2026-01-01T00:00:00.000Z");
    await again();
    expect(
      given.world.events.filter(({ type, reason }) => type === "Warning" && reason === "RotationRefused"),
    ).toHaveLength(1);
  });

  it("are named if they cannot be removed, and stay in the status", async () => {
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

  it("are signed with our key again after a change back to automatic management", async () => {
    const before = await settle("shop", manual);
    await createManualHook(before.status?.webhookURL);
    await change({ webhook: { install: "Auto" } });
    await again();
    await change(manual);
    await again();
    await createManualHook(before.status?.webhookURL);
    await change({ webhook: { install: "Auto" } });
    await again();
    await given.world.github.people.openIssue({ as: "ana", repo: "acme/shop", title: "Login fails" });
    const current = (await given.world.hookSecret(before))?.current ?? "";
    expect(lastDelivery(given.world).signedWith(current)).toBe(true);
  });
});

describe("hooks of an installation that changed its URL", () => {
  it.each([
    ["of an App", () => ({ credentials: appCredentials(given.world) })],
    ["of repositories", () => ({})],
  ])("%s are still recognised as ours, and are set to the new URL", async (_name, spec) => {
    await given.world.secret("app", given.world.github.app("bellhop").privateKey);
    const before = await settle("shop", spec());
    given.world.config.externalURL = "https://new.example.com";
    given.world.gateways.has = "silent";
    await given.client.mergePatch(GitHubIntegrationKind, at("shop"), {
      metadata: { annotations: { "bellhop.dev/rotate-requested-at": "2026-01-01T00:00:00Z" } },
    });
    // A gateway delays the new key meanwhile; the old URL must not be lost.
    expect((await again()).status?.webhookURL).toBe(before.status?.webhookURL);
    given.world.gateways.has = "all";
    const after = await again();
    expect(conditionOf(after, "WebhookInstalled")).toMatchObject({ status: "True", reason: "Installed" });
    expect(after.status?.webhookURL).toMatch(/^https:\/\/new\.example\.com\/hooks\//);
    expect(after.status?.hooks?.map(({ id }) => id)).toEqual(before.status?.hooks?.map(({ id }) => id));
  });
});

describe("hooks of which some cannot be installed", () => {
  it("are installed and recorded if possible, and the failed ones are named", async () => {
    const integration = await settle("shop", { repositories: ["acme/shop", "acme/nope", "acme/till"] });
    expect(integration.status?.hooks?.map(({ target }) => target)).toEqual(["acme/shop", "acme/till"]);
    const { status, reason, message } = conditionOf(integration, "WebhookInstalled") ?? {};
    expect({ status, reason }).toEqual({ status: "False", reason: "InstallFailed" });
    expect(message).toMatch(/acme\/nope/);
    expect(await remove()).toBeUndefined();
    expect([...(await hooksOf()), ...(await hooksOf("acme/till"))]).toEqual([]);
    expect(given.world.events.filter((event) => event.reason === "HooksLeftBehind")).toEqual([]);
  });

  it("stay in the status when they cannot be checked any more", async () => {
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

  it("keep the condition during an outage of the provider, and are retried soon", async () => {
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

  it("do not affect the others, whose key is rotated anyway", async () => {
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

  it("delay a rotation, with a message, if they have the previous key, and later get the new key alone", async () => {
    const before = await settle("shop", { repositories: ["acme/shop", "acme/till"] });
    const failure = given.world.github.fail({ path: "/repos/acme/till/hooks*" }, forbidden);
    await rotate("2026-01-01T00:00:00Z");
    expect(await writesAt("acme/shop", again)).toEqual(["PATCH"]);
    await rotate("2026-01-02T00:00:00Z");
    expect(await writesAt("acme/shop", again)).toEqual([]);
    expect(await given.world.hookSecret(before)).toMatchObject({ generation: 2, installed: 1 });
    expect(conditionOf(await given.world.read("shop"), "WebhookInstalled")).toMatchObject({
      reason: "InstallFailed",
      message: expect.stringContaining("The requested rotation starts when every known hook") as string,
    });
    failure.stop();
    expect(await writesAt("acme/shop", again)).toEqual([]);
    expect(await given.world.hookSecret(before)).toMatchObject({
      generation: 2,
      installed: 2,
      keyed: { "acme/shop": 2, "acme/till": 2 },
    });
  });

  it("get the current key if they are recognised only by our URL", async () => {
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

  it("have the same message at each reconcile during an outage with a pending rotation", async () => {
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
        /^acme\/shop, acme\/till deliver to \S+; not checked because of a temporary failure: acme\/till\. The requested rotation/,
      ),
    ]);
  });

  it("are removed on deletion if possible, and the remaining ones are named", async () => {
    await settle("shop", { repositories: ["acme/shop", "acme/till"] });
    given.world.github.fail({ path: "/repos/acme/shop/hooks*" }, forbidden);
    given.world.events.length = 0;
    expect(await remove()).toBeUndefined();
    expect(await hooksOf("acme/till")).toEqual([]);
    expect(given.world.events).toContainEqual(
      expect.objectContaining({
        type: "Warning",
        reason: "HooksLeftBehind",
        message: expect.stringMatching(/^Could not remove the hooks at the provider: acme\/shop: /) as string,
      }),
    );
  });

  it("are found on deletion in every repository of the spec, in the status or not", async () => {
    const integration = await settle("shop", { repositories: ["acme/shop", "acme/till"] });
    await given.client.replaceStatus(GitHubIntegrationKind, {
      ...integration,
      status: { ...integration.status, hooks: [] },
    });
    expect(await remove()).toBeUndefined();
    expect([...(await hooksOf()), ...(await hooksOf("acme/till"))]).toEqual([]);
  });

  it("are removed even if the Secret with their URL was deleted", async () => {
    await settle();
    const kept = await given.client.list(secrets, { namespace: given.world.namespace });
    const hookSecret = kept.items.find(({ metadata }) => metadata.name.startsWith("bellhop-hook-"));
    await given.client.delete(secrets, at(hookSecret?.metadata.name ?? ""));
    expect(await remove()).toBeUndefined();
    expect(await hooksOf()).toEqual([]);
  });
});
