import { describe, expect, it } from "vitest";
import { eventually } from "../../../test/cluster/eventually.ts";
import { failing } from "../../../test/providers/github/index.ts";
import { call } from "../../../test/providers/github/testing.ts";
import { GitHubIntegrationKind, type GitHubIntegration } from "../../api/github-integration.ts";
import { createInformer } from "../../kube/informer.ts";
import { secrets } from "../../kube/resources.ts";
import { systemClock } from "../../shared/clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { aTask } from "../agent-task/testing.ts";
import { integrationTests } from "./cluster/testing.ts";
import { appCredentials, conditionOf, lastDelivery } from "./testing.ts";

const hourMs = 3_600_000;
const given = integrationTests();
const { again, appHook, hooksOf, settle } = given;

async function key(integration: GitHubIntegration) {
  const found = await given.world.hookSecret(integration);
  if (!found) throw new Error("no hook secret");
  return found;
}

const members = async () => (await given.world.routes())[0]?.members.map(({ name }) => name);

async function deliver(): Promise<void> {
  await given.world.github.people.openIssue({ as: "ana", repo: "acme/shop", title: "Login fails" });
}

async function annotate(name: string, at: string): Promise<void> {
  const annotations = { "bellhop.dev/rotate-requested-at": at };
  await given.client.mergePatch(
    GitHubIntegrationKind,
    { name, namespace: given.world.namespace },
    { metadata: { annotations } },
  );
}

async function remove(name = "shop"): Promise<GitHubIntegration | undefined> {
  const at = { name, namespace: given.world.namespace };
  await given.client.delete(GitHubIntegrationKind, at);
  await given.world.reconcile(name);
  return given.client.find(GitHubIntegrationKind, at);
}

describe("an integration with a token", () => {
  it("gets a hook on each listed repository, with the events its triggers need and its own secret", async () => {
    const integration = await settle("shop", {
      repositories: ["acme/shop", "acme/till"],
      triggers: [{ name: "label", label: { name: "bot" } }],
    });
    expect(conditionOf(integration, "Ready")).toMatchObject({ status: "True" });
    expect(integration.status).toMatchObject({
      bot: { login: "bot", mention: "bot" },
      tokenScope: "Broad",
      keyGeneration: 1,
      webhookURL: expect.stringMatching(/\/hooks\/[0-9a-f]{40}$/) as string,
    });
    for (const repo of ["acme/shop", "acme/till"]) {
      expect(await hooksOf(repo)).toMatchObject([
        { active: true, events: ["issues", "pull_request"], config: { url: integration.status?.webhookURL } },
      ]);
    }
    await deliver();
    expect(lastDelivery(given.world).signedWith((await key(integration)).current)).toBe(true);
    const [route] = await given.world.routes();
    expect(route?.members).toMatchObject([{ kind: "GitHubIntegration", name: "shop", uid: integration.metadata.uid }]);
    given.world.github.assertClean();
  });

  it("counts its hooks in the message if there are many, and names them in its status", async () => {
    const repositories = Array.from({ length: 6 }, (_, at) => `acme/${"long-name-".repeat(8)}${at}`);
    for (const repo of repositories) await given.world.github.people.createRepo({ repo });
    const integration = await settle("shop", { repositories });
    const message = `6 hooks deliver to ${integration.status?.webhookURL}.`;
    expect(conditionOf(integration, "WebhookInstalled")).toMatchObject({ status: "True", message });
    expect(integration.status?.hooks).toHaveLength(6);
  });

  it("has its bot in the status before its hook, so that gateways recognise the first mention", async () => {
    const stop = new AbortController();
    const seen: GitHubIntegration[] = [];
    const deps = { client: given.client, clock: systemClock, log: silentLogger };
    const informer = createInformer(deps, GitHubIntegrationKind, { namespace: given.world.namespace });
    informer.onChange(({ current }) => void (current && seen.push(current)));
    informer.start(stop.signal);
    await informer.waitForSync(stop.signal);
    await settle();
    await eventually(() => seen.some(({ status }) => status?.hooks), { describe: "the hook in the status" });
    stop.abort();
    const first = seen.find(({ status }) => status?.bot);
    expect(first?.status).toMatchObject({ bot: { login: "bot", mention: "bot" } });
    expect(first?.status?.hooks).toBeUndefined();
  });

  it("has its hook repaired after a change and recreated after a removal", async () => {
    await settle();
    const [hook] = await hooksOf();
    const at = `/repos/acme/shop/hooks/${hook?.id}` as const;
    await call(given.world.github, `PATCH ${at}`, given.token, { active: false, events: ["push"] });
    await again();
    expect(await hooksOf()).toMatchObject([{ id: hook?.id, active: true, events: hook?.events }]);
    await call(given.world.github, `DELETE ${at}`, given.token);
    const integration = await again();
    const [fresh] = await hooksOf();
    expect(fresh?.id).not.toBe(hook?.id);
    expect(integration.status?.hooks).toMatchObject([{ target: "acme/shop", id: String(fresh?.id) }]);
    await deliver();
    expect(lastDelivery(given.world).signedWith((await key(integration)).current)).toBe(true);
  });

  it("writes nothing when everything is as it should be", async () => {
    await settle();
    const before = await again();
    const calls = given.world.github.requests.length;
    expect((await again()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    expect(given.world.github.requests.slice(calls).filter(({ method }) => method !== "GET")).toEqual([]);
  });

  it("reports when a delivery last created a task", async () => {
    const created = "2026-03-01T10:00:00Z";
    given.world.tasks.push(aTask({ namespace: given.world.namespace, createdAt: created }));
    expect((await settle()).status?.lastTaskTime).toBe(created);
  });

  it("gets no hook if it is managed manually, but a message with its URL", async () => {
    await given.world.secret("hook", "the-key-that-a-person-set");
    const webhook = { install: "Manual", acceptedKeysRef: { name: "hook", key: "value" } };
    const integration = await settle("shop", { webhook });
    expect(await hooksOf()).toEqual([]);
    const keys = (await given.world.routes())[0]?.keys.map((each) => Buffer.from(each, "base64").toString());
    expect(keys).toContain("the-key-that-a-person-set");
    expect(conditionOf(integration, "WebhookInstalled")).toMatchObject({
      status: "True",
      reason: "Manual",
      message: expect.stringContaining(integration.status?.webhookURL ?? "?") as string,
    });
  });
});

describe("credentials", () => {
  it.each([
    {
      name: "a Secret that does not exist",
      arrange: () => given.client.delete(secrets, { name: "token", namespace: given.world.namespace }),
      reason: "SecretNotFound",
      message: /does not exist; create it/,
    },
    {
      name: "a Secret that is not allowed for the integration",
      arrange: () => given.world.secret("token", given.token, { allowedFor: "GitHubIntegration/github.com" }),
      reason: "SecretNotAllowed",
      message: /add the annotation bellhop\.dev\/allowed-for: GitHubIntegration\/127\.0\.0\.1:/,
    },
    {
      name: "a Secret without the key",
      arrange: async () => {
        await given.client.delete(secrets, { name: "token", namespace: given.world.namespace });
        await given.world.secret("token", given.token, { key: "other" });
      },
      reason: "SecretKeyMissing",
      message: /has no key `value`/,
    },
    {
      name: "a token that was revoked",
      arrange: () => given.world.github.people.revokeToken({ token: given.token }),
      reason: "Unauthorized",
      message: /./,
    },
  ])("are invalid with $name, and the condition says what to do", async ({ arrange, reason, message }) => {
    await arrange();
    const integration = await settle();
    for (const type of ["CredentialsValid", "Ready"]) {
      expect(conditionOf(integration, type)).toMatchObject({
        status: "False",
        reason,
        message: expect.stringMatching(message) as string,
      });
    }
    expect(JSON.stringify(integration.status)).not.toContain(given.token);
    expect(given.world.events).toContainEqual(expect.objectContaining({ type: "Warning", reason }));
    expect(await hooksOf().catch(() => [])).not.toContainEqual(expect.objectContaining({ active: true }));
  });

  it("are not needed for the URL: an app at the provider is created with it, and only then has secrets", async () => {
    await given.client.delete(secrets, { name: "token", namespace: given.world.namespace });
    expect((await settle()).status?.webhookURL).toMatch(/^https?:\/\/.*\/hooks\/./);
  });

  it("become valid again without a change of the integration", async () => {
    await given.world.secret("token", given.token, { allowedFor: "" });
    await settle();
    await given.world.secret("token", given.token);
    expect(conditionOf(await again(), "Ready")).toMatchObject({ status: "True" });
  });

  it("are unknown while the provider has never answered, and are checked again soon", async () => {
    given.world.github.fail({ path: "/user" }, failing.badGateway());
    await given.world.create("shop");
    const result = await given.world.reconcile("shop");
    expect(result.requeueAfterMs).toBeLessThanOrEqual(15_000);
    expect(conditionOf(await given.world.read("shop"), "CredentialsValid")).toMatchObject({
      status: "Unknown",
      reason: "Unavailable",
    });
  });

  it("stay valid during a rate limit, and are checked again after it", async () => {
    await settle();
    given.world.github.fail({ path: "/user" }, failing.secondaryRateLimit(300));
    const { requeueAfterMs } = await given.world.reconcile("shop");
    expect(requeueAfterMs).toBeGreaterThan(150_000);
    expect(conditionOf(await given.world.read("shop"), "CredentialsValid")).toMatchObject({ status: "True" });
  });

  it("of a suspended App are reported as suspended", async () => {
    const { github } = given.world;
    const { body } = await call<{ id: number }[]>(github, "GET /app/installations", github.appJwt("bellhop"));
    const [installation] = body;
    await given.world.github.people.suspendInstallation({ installation: installation?.id ?? 0 });
    const integration = await settle("shop", { credentials: appCredentials(given.world) });
    expect(conditionOf(integration, "Ready")).toMatchObject({ status: "False", reason: "Suspended" });
    expect(integration.status?.installations).toMatchObject([{ account: "acme", suspended: true }]);
    await given.world.github.people.suspendInstallation({ installation: installation?.id ?? 0, on: false });
    expect(conditionOf(await again(), "Ready")).toMatchObject({ status: "True" });
  });
});

describe("the rotation of a webhook secret", () => {
  it("reaches the gateways first and the provider second, and happens once", async () => {
    const first = await key(await settle());
    given.world.gateways.has = 1;
    await annotate("shop", "2026-01-01T00:00:00Z");
    const held = await again();
    expect(conditionOf(held, "WebhookInstalled")).toMatchObject({ status: "True", reason: "GatewayBehind" });
    const second = await key(held);
    expect(second).toMatchObject({ generation: 2, installed: 1, previous: first.current });
    const [route] = await given.world.routes();
    expect(route?.keys.map((one) => Buffer.from(one, "base64").toString())).toEqual([second.current, first.current]);
    await deliver();
    expect(lastDelivery(given.world).signedWith(first.current)).toBe(true);

    given.world.gateways.has = "all";
    const done = await again();
    expect(done.status).toMatchObject({ keyGeneration: 2, lastHandledRotateAt: "2026-01-01T00:00:00.000Z" });
    expect(conditionOf(done, "WebhookInstalled")).toMatchObject({ status: "True", reason: "Installed" });
    await deliver();
    expect(lastDelivery(given.world).signedWith(second.current)).toBe(true);
    expect((await key(await again())).generation).toBe(2);
  });

  it("is delayed by a gateway that does not answer, and the message names it", async () => {
    await settle();
    given.world.gateways.has = "silent";
    await annotate("shop", "2026-01-01T00:00:00Z");
    const { message } = conditionOf(await again(), "WebhookInstalled") ?? {};
    expect(message).toContain("10.0.0.1 (does not answer)");
    expect((await key(await given.world.read("shop"))).installed).toBe(1);
  });

  it("is stored with the key it created: an operator that crashed before it wrote the status does not rotate again", async () => {
    await settle();
    await annotate("shop", "2026-01-01T00:00:00Z");
    const integration = await again();
    const { lastHandledRotateAt: _lost, ...status } = integration.status ?? {};
    await given.client.replaceStatus(GitHubIntegrationKind, { ...integration, status });
    const after = await again();
    expect(after.status?.lastHandledRotateAt).toBe("2026-01-01T00:00:00.000Z");
    expect((await key(after)).generation).toBe(2);
  });

  it("drops the old key a day after the hooks got the new one", async () => {
    await settle();
    await annotate("shop", "2026-01-01T00:00:00Z");
    await again();
    given.world.later(23 * hourMs);
    expect((await key(await again())).previous).toBeDefined();
    given.world.later(2 * hourMs);
    expect((await key(await again())).previous).toBeUndefined();
    expect((await given.world.routes())[0]?.keys).toHaveLength(1);
  });

  it("waits if there was another within a day, and says so until it starts", async () => {
    await settle();
    await annotate("shop", "2026-01-01T00:00:00Z");
    const second = await key(await again());
    await annotate("shop", "2026-01-02T00:00:00Z");
    const waiting = await again();
    expect(await key(waiting)).toEqual(second);
    expect(conditionOf(waiting, "WebhookInstalled")).toMatchObject({ status: "True", reason: "RotationPending" });
    expect(waiting.status?.lastHandledRotateAt).toBe("2026-01-01T00:00:00.000Z");
    given.world.later(25 * hourMs);
    const done = await again();
    expect(await key(done)).toMatchObject({ generation: 3, previous: second.current });
    expect(conditionOf(done, "WebhookInstalled")).toMatchObject({ reason: "Installed" });
  });

  it("waits for every gateway before the first install as well", async () => {
    given.world.gateways.has = 0;
    const integration = await settle();
    expect(conditionOf(integration, "WebhookInstalled")).toMatchObject({ status: "False", reason: "GatewayBehind" });
    expect(await hooksOf()).toEqual([]);
  });
});

describe("an App's only hook", () => {
  it("is managed by the oldest integration, and by the next one when that is deleted", async () => {
    const credentials = appCredentials(given.world);
    await settle("one", { credentials });
    await settle("two", { credentials, repositories: ["acme/till"] });
    // Both are created within one second, so their uids decide which is older.
    const both = [await again("one"), await again("two")];
    const keeper = both.find((each) => conditionOf(each, "WebhookInstalled")?.reason === "Installed");
    const other = both.find((each) => each !== keeper);
    if (!keeper || !other) throw new Error("nobody keeps the hook");
    expect(other.status?.webhookURL).toBe(keeper.status?.webhookURL);
    expect(conditionOf(other, "WebhookInstalled")).toMatchObject({
      status: "True",
      reason: "SharedHook",
      message: expect.stringContaining(`${given.world.namespace}/${keeper.metadata.name}`) as string,
    });
    expect(await members()).toEqual([keeper.metadata.name, other.metadata.name]);

    expect(await remove(keeper.metadata.name)).toBeUndefined();
    const heir = await again(other.metadata.name);
    expect(conditionOf(heir, "WebhookInstalled")).toMatchObject({ reason: "Installed" });
    expect(await members()).toEqual([other.metadata.name]);
    const { current } = await key(heir);
    await deliver();
    expect(lastDelivery(given.world).signedWith(current)).toBe(true);

    expect(await remove(heir.metadata.name)).toBeUndefined();
    await deliver();
    expect(lastDelivery(given.world).signedWith(current)).toBe(false);
    expect(await given.world.routes()).toEqual([]);
  });

  it("is not shared with an integration that only names the App: no key, no route and no removal", async () => {
    const victim = await settle("victim", { credentials: appCredentials(given.world) });
    await given.world.secret("mine", "a-key-of-somebody-else");
    const app = { appId: given.world.github.app("bellhop").id, privateKeySecretRef: { name: "nothing", key: "value" } };
    const webhook = { acceptedKeysRef: { name: "mine", key: "value" } };
    const outsider = await settle("outsider", { credentials: { app }, webhook });
    expect(conditionOf(outsider, "Ready")).toMatchObject({ status: "False", reason: "SecretNotFound" });
    expect(outsider.status?.webhookURL).toBeUndefined();
    expect(conditionOf(await again("victim"), "Ready")).toMatchObject({ status: "True" });
    const { current } = await key(victim);
    expect(await members()).toEqual(["victim"]);
    expect((await given.world.routes())[0]?.keys.map((each) => Buffer.from(each, "base64").toString())).toEqual([
      current,
    ]);

    expect(await remove("victim")).toBeUndefined();
    await deliver();
    expect(lastDelivery(given.world).signedWith(current)).toBe(false);
    expect(await given.world.hookSecret(outsider)).toBeUndefined();
    expect(await given.world.routes()).toEqual([]);
    expect(await remove("outsider")).toBeUndefined();
  });

  it("stays when an integration is deleted that never was a member", async () => {
    const victim = await settle("victim", { credentials: appCredentials(given.world) });
    const app = { appId: given.world.github.app("bellhop").id, privateKeySecretRef: { name: "nothing", key: "value" } };
    await settle("outsider", { credentials: { app } });
    const at = { name: "victim", namespace: given.world.namespace };
    await given.client.delete(GitHubIntegrationKind, at);
    // While its owner is being deleted, no other member exists that could take the hook over.
    expect(await remove("outsider")).toBeUndefined();
    expect(await given.world.hookSecret(victim)).toBeDefined();
    expect(given.world.events).not.toContainEqual(expect.objectContaining({ reason: "HooksLeftBehind" }));
    await given.world.reconcile("victim");
    expect(await given.world.hookSecret(victim)).toBeUndefined();
  });

  it("is not overwritten if it is somebody else's, unless the integration allows it", async () => {
    const elsewhere = "https://other.example.com/hook";
    await call(given.world.github, "PATCH /app/hook/config", given.world.github.appJwt("bellhop"), { url: elsewhere });
    const integration = await settle("shop", { credentials: appCredentials(given.world) });
    expect(conditionOf(integration, "WebhookInstalled")).toMatchObject({ status: "False", reason: "ForeignHook" });
    expect(conditionOf(integration, "WebhookInstalled")?.message).toContain("other.example.com");
    expect((await appHook())["url"]).toBe(elsewhere);
    const at = { name: "shop", namespace: given.world.namespace };
    await given.client.mergePatch(GitHubIntegrationKind, at, { spec: { webhook: { takeOver: true } } });
    expect(conditionOf(await again(), "Ready")).toMatchObject({ status: "True" });
    expect((await appHook())["url"]).toBe(integration.status?.webhookURL);
  });

  it("needs events and permissions that cannot be set by API: the message names them", async () => {
    const { people } = given.world.github;
    const app = await people.createApp({
      slug: "narrow",
      owner: "acme",
      events: ["issues"],
      permissions: { metadata: "read", issues: "write" },
    });
    await people.installApp({ app: "narrow", on: "acme" });
    await given.world.secret("narrow", app.privateKey);
    const credentials = { app: { appId: app.id, privateKeySecretRef: { name: "narrow", key: "value" } } };
    const integration = await settle("shop", { credentials });
    const stalled = conditionOf(integration, "Stalled");
    expect(stalled).toMatchObject({ status: "True", reason: "EventsMissing" });
    expect(stalled?.message).toMatch(/event issue_comment of the App.*permission contents: write of the App/);
    expect(conditionOf(integration, "Ready")).toMatchObject({ status: "False", reason: "EventsMissing" });
  });
});

describe("an integration that needs a manual fix", () => {
  it("is stalled by a rule that costs too much, with the rule's name", async () => {
    const when = "body.a.all(x, body.b.all(y, body.c.all(z, x == y)))";
    const integration = await settle("shop", { triggers: [{ name: "dear", mention: {}, when }] });
    expect(conditionOf(integration, "Stalled")).toMatchObject({ status: "True", reason: "RuleTooExpensive" });
    expect(conditionOf(integration, "Stalled")?.message).toContain("triggers[dear].when");
    expect(await hooksOf()).toEqual([]);
  });

  it("is stalled while the installation has no external URL", async () => {
    given.world.config.externalURL = undefined;
    const integration = await settle();
    expect(conditionOf(integration, "Stalled")).toMatchObject({ status: "True", reason: "ExternalURLUnknown" });
    expect(integration.status?.webhookURL).toBeUndefined();
    expect(await hooksOf()).toEqual([]);
  });

  it("is stalled by a key that another accepts too, and neither accepts that key", async () => {
    await given.world.secret("shared", "the-same-key-in-two-places");
    const webhook = { acceptedKeysRef: { name: "shared", key: "value" } };
    await settle("one", { webhook });
    await settle("two", { webhook, repositories: ["acme/till"] });
    for (const name of ["one", "two"]) {
      expect(conditionOf(await again(name), "Stalled")).toMatchObject({ status: "True", reason: "KeyShared" });
    }
    for (const route of await given.world.routes()) expect(route.keys).toHaveLength(1);
    await remove("two");
    expect(conditionOf(await again("one"), "Stalled")).toMatchObject({ status: "False" });
    expect((await given.world.routes())[0]?.keys).toHaveLength(2);
  });
});

describe("the deletion of an integration", () => {
  it("removes its hooks, its key and its route, then its finalizer", async () => {
    const integration = await settle("shop", { repositories: ["acme/shop", "acme/till"] });
    expect(await remove()).toBeUndefined();
    expect([...(await hooksOf()), ...(await hooksOf("acme/till"))]).toEqual([]);
    expect(await given.world.hookSecret(integration)).toBeUndefined();
    expect(await given.world.routes()).toEqual([]);
    expect(given.world.events.filter(({ type }) => type === "Warning")).toEqual([]);
  });

  it.each([
    { name: "401", arrange: () => given.world.github.people.revokeToken({ token: given.token }) },
    {
      name: "403",
      arrange: async () =>
        void given.world.github.fail(
          { path: "/repos/acme/shop/hooks*" },
          { kind: "answer", status: 403, body: { message: "Resource not accessible by personal access token" } },
        ),
    },
    { name: "404", arrange: () => given.world.github.people.deleteRepo({ repo: "acme/shop" }), silent: true },
    {
      name: "its Secret deleted",
      arrange: () => given.client.delete(secrets, { name: "token", namespace: given.world.namespace }),
    },
  ])("gives up at once with $name, and reports hooks that may be left", async ({ arrange, silent }) => {
    await settle();
    given.world.events.length = 0;
    await arrange();
    expect(await remove()).toBeUndefined();
    const warnings = given.world.events.filter(({ type }) => type === "Warning").map(({ reason }) => reason);
    // The hooks of a deleted repository are deleted with it.
    expect(warnings).toEqual(silent ? [] : ["HooksLeftBehind"]);
    expect(await given.world.routes()).toEqual([]);
  });

  it("retries for ten minutes if the provider fails, then gives up", async () => {
    await settle();
    given.world.github.fail({ path: "/repos/acme/shop/hooks*" }, failing.serverError());
    expect(await remove()).toBeDefined();
    expect(await given.world.reconcile("shop")).toEqual({ requeueAfterMs: 5_000 });
    given.world.later(11 * 60_000);
    await given.world.reconcile("shop");
    expect(
      await given.client.find(GitHubIntegrationKind, { name: "shop", namespace: given.world.namespace }),
    ).toBeUndefined();
    expect(given.world.events).toContainEqual(expect.objectContaining({ type: "Warning", reason: "HooksLeftBehind" }));
  });

  it("removes the hooks of the status by id even if the installation has no external URL any more", async () => {
    await settle();
    given.world.config.externalURL = undefined;
    expect(await remove()).toBeUndefined();
    expect(await hooksOf()).toEqual([]);
  });
});

describe("missed deliveries", () => {
  it("are redelivered once each", async () => {
    await settle("shop", { credentials: appCredentials(given.world) });
    given.world.receiver.answer(503);
    await deliver();
    given.world.receiver.answer(202);
    const taken = given.world.receiver.received.length;
    given.world.later(6 * 60_000);
    const integration = await again();
    await given.world.github.settled();
    expect(given.world.receiver.received).toHaveLength(taken + 1);
    expect(integration.status?.recoveredUntil).toBeDefined();
    given.world.later(6 * 60_000);
    await again();
    given.world.later(6 * 60_000);
    await again();
    await given.world.github.settled();
    expect(given.world.receiver.received).toHaveLength(taken + 1);
  });

  it("are not requested repeatedly if the gateway refuses them for good", async () => {
    await settle("shop", { credentials: appCredentials(given.world) });
    given.world.receiver.answer(500);
    await deliver();
    const refused = given.world.receiver.received.length;
    for (let round = 0; round < 4; round++) {
      given.world.later(6 * 60_000);
      await again();
      await given.world.github.settled();
    }
    expect(given.world.receiver.received).toHaveLength(refused + 1);
  });

  it("during a suspension are not redelivered afterwards", async () => {
    await settle("shop", { credentials: appCredentials(given.world) });
    const at = { name: "shop", namespace: given.world.namespace };
    await given.client.mergePatch(GitHubIntegrationKind, at, { spec: { suspend: true } });
    given.world.receiver.answer(503);
    await deliver();
    given.world.receiver.answer(202);
    const taken = given.world.receiver.received.length;
    given.world.later(6 * 60_000);
    expect(conditionOf(await again(), "Ready")).toMatchObject({ status: "True", reason: "Suspended" });
    await given.client.mergePatch(GitHubIntegrationKind, at, { spec: { suspend: false } });
    given.world.later(6 * 60_000);
    await again();
    await given.world.github.settled();
    expect(given.world.receiver.received).toHaveLength(taken);
  });
});
