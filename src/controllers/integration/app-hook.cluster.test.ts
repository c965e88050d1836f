import { describe, expect, it } from "vitest";
import { call } from "../../../test/providers/github/testing.ts";
import { GitHubIntegrationKind, type GitHubIntegration } from "../../api/github-integration.ts";
import { secrets } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import { newHookSecret, readHookSecret, writeHookSecret } from "./hook-secret.ts";
import { integrationTests } from "./cluster/testing.ts";
import { appCredentials, conditionOf } from "./testing.ts";

const given = integrationTests();
const { again, appHook } = given;

/** Two integrations of one App, `one` for acme/shop and `two` for acme/till, not reconciled yet. */
async function aPair(): Promise<void> {
  for (const [name, repository] of [
    ["one", "acme/shop"],
    ["two", "acme/till"],
  ] as const) {
    await given.world.create(name, { credentials: appCredentials(given.world), repositories: [repository] });
  }
}

/** A client that, after `meet`, makes each reader of a hook Secret wait for another reader, for a given number of times. */
function stepping(): { inStep: KubeClient; meet(times: number): void } {
  let left = 0;
  let meeting = Promise.withResolvers<void>();
  const find: KubeClient["find"] = async (type, key, signal) => {
    const found = await given.client.find(type, key, signal);
    if (!key.name.startsWith("bellhop-hook-") || left === 0) return found;
    const met = meeting;
    if (--left % 2 === 0) {
      meeting = Promise.withResolvers();
      met.resolve();
    }
    await met.promise;
    return found;
  };
  const inStep = new Proxy<KubeClient>(given.client, {
    get: (of, name) => (name === "find" ? find : (Reflect.get(of, name) as () => unknown).bind(of)),
  });
  return { inStep, meet: (times) => void (left = 2 * times) };
}

const installedOf = (integration: GitHubIntegration) => conditionOf(integration, "WebhookInstalled");

describe("integrations of one App that start at the same time", () => {
  it("use the same route, which the gateways serve and the App delivers to", async () => {
    const { inStep, meet } = stepping();
    await given.restart(inStep);
    // The ConfigMap and the Secret of the gateways exist already.
    await given.world.create("another", {
      webhook: { install: "Manual", acceptedKeysRef: { name: "none", key: "value" } },
    });
    await given.world.reconcile("another");
    meet(2);
    await aPair();
    const begun = await Promise.allSettled([given.world.reconcile("one"), given.world.reconcile("two")]);
    // The reconcile that lost the race runs again, as the queue would do.
    if (begun[0].status === "rejected") await again("one");
    if (begun[1].status === "rejected") await again("two");
    const [one, two] = [await given.world.read("one"), await given.world.read("two")];
    expect(one.status?.webhookURL).toBe(two.status?.webhookURL);
    expect((await appHook())["url"]).toBe(one.status?.webhookURL);
    const routes = (await given.world.routes()).filter(({ members }) => members.some(({ name }) => name !== "another"));
    expect(routes.map(({ route }) => one.status?.webhookURL?.endsWith(route))).toEqual([true]);
    await again("one");
    expect((await given.world.hookSecret(await again("two")))?.proven).toHaveLength(2);
  });
});

describe("the hook Secret", () => {
  const where = () => ({ client: given.client, namespace: given.world.namespace });
  const name = "bellhop-hook-0123456789abcdef0123456789abcdef";
  const ownerUID = "an-owner";

  it("is created once and changed only from its newest version: other writers get a conflict", async () => {
    const secret = newHookSecret(new Date());
    const first = await writeHookSecret(where(), name, { secret, ownerUID });
    expect(await readHookSecret(where(), name)).toEqual(first);
    await expect(writeHookSecret(where(), name, { secret, ownerUID })).rejects.toMatchObject({
      reason: "AlreadyExists",
    });
    const second = await writeHookSecret(where(), name, { secret: { ...first, installed: 1 }, ownerUID });
    await expect(
      writeHookSecret(where(), name, { secret: { ...first, installed: 0 }, ownerUID }),
    ).rejects.toMatchObject({ reason: "Conflict" });
    expect(await readHookSecret(where(), name)).toEqual(second);
  });

  it("is replaced if it contains no usable key", async () => {
    const empty = { metadata: { name, namespace: given.world.namespace }, type: "bellhop.dev/hook", data: {} };
    await given.client.create(secrets, empty);
    const made = await writeHookSecret(where(), name, { secret: newHookSecret(new Date()), ownerUID });
    expect(await readHookSecret(where(), name)).toEqual(made);
  });
});

/** Two integrations with an installed hook: which of them is its keeper, and its URL. */
async function aKeptHook(): Promise<{ keeper: string; other: string; before: string | undefined }> {
  await aPair();
  await again("one");
  await again("two");
  const both = [await again("one"), await again("two")];
  const keeper = both.find((each) => installedOf(each)?.reason === "Installed");
  const other = both.find((each) => installedOf(each)?.reason === "SharedHook");
  if (!keeper || !other) throw new Error("nobody keeps the hook");
  return { keeper: keeper.metadata.name, other: other.metadata.name, before: other.status?.webhookURL };
}

async function breakRules(name: string): Promise<void> {
  const spec = { triggers: [{ name: "mention", mention: {}, when: "1 +" }] };
  await given.client.mergePatch(GitHubIntegrationKind, { name, namespace: given.world.namespace }, { spec });
}

describe("an App's hook that its keeper", () => {
  it("could not install counts as not installed for all, and each condition says why", async () => {
    const jwt = given.world.github.appJwt("bellhop");
    await call(given.world.github, "PATCH /app/hook/config", jwt, { url: "https://other.example.com/hook" });
    await aPair();
    await again("one");
    await again("two");
    const both = [await again("one"), await again("two")];
    const keeper = both.find((each) => installedOf(each)?.reason === "ForeignHook");
    const other = both.find((each) => each !== keeper);
    if (!keeper || !other) throw new Error("nobody keeps the hook");
    const { message } = installedOf(keeper) ?? {};
    expect(installedOf(other)).toMatchObject({ status: "False", reason: "SharedHook" });
    expect(installedOf(other)?.message).toContain(
      `${given.world.namespace}/${keeper.metadata.name}, which has not installed it`,
    );
    expect(installedOf(other)?.message).toContain(message);
    expect(conditionOf(other, "Ready")).toMatchObject({ status: "False", reason: "SharedHook" });

    const at = { name: keeper.metadata.name, namespace: given.world.namespace };
    await given.client.mergePatch(GitHubIntegrationKind, at, { spec: { webhook: { takeOver: true } } });
    await again(keeper.metadata.name);
    const fixed = await again(other.metadata.name);
    expect(conditionOf(fixed, "Ready")).toMatchObject({ status: "True" });
    expect((await appHook())["url"]).toBe(fixed.status?.webhookURL);
  });

  it("cannot check keeps delivering for the others, and their condition says so", async () => {
    const { keeper, other } = await aKeptHook();
    await breakRules(keeper);
    expect(conditionOf(await again(keeper), "Stalled")).toMatchObject({ status: "True", reason: "RuleInvalid" });
    const after = await again(other);
    expect(conditionOf(after, "Ready")).toMatchObject({ status: "True" });
    expect(installedOf(after)).toMatchObject({
      status: "True",
      reason: "SharedHook",
      message: expect.stringContaining(`/${keeper}, which cannot check it now: `) as string,
    });

    // A hook with the old URL does not deliver any more.
    given.world.config.externalURL = "https://new.example.com";
    await again(keeper);
    expect(installedOf(await again(other))).toMatchObject({ status: "False", reason: "SharedHook" });
  });

  it("could not move to a new URL is recognised as ours by the next keeper", async () => {
    const { keeper, other, before } = await aKeptHook();
    await breakRules(keeper);
    given.world.config.externalURL = "https://new.example.com";
    await again(keeper);
    expect((await again(other)).status?.webhookURL).toBe(before);
    await given.client.delete(GitHubIntegrationKind, { name: keeper, namespace: given.world.namespace });
    await given.world.reconcile(keeper);
    const after = await again(other);
    expect(installedOf(after)).toMatchObject({ status: "True", reason: "Installed" });
    expect(after.status?.webhookURL).toMatch(/^https:\/\/new\.example\.com\//);
    expect((await appHook())["url"]).toBe(after.status?.webhookURL);
  });

  it("found to be somebody else's counts as not installed for all, also when its keeper cannot check it any more", async () => {
    const { keeper, other } = await aKeptHook();
    const elsewhere = { url: "https://other.example.com/hook" };
    await call(given.world.github, "PATCH /app/hook/config", given.world.github.appJwt("bellhop"), elsewhere);
    expect(installedOf(await again(keeper))).toMatchObject({ status: "False", reason: "ForeignHook" });
    await breakRules(keeper);
    await again(keeper);
    expect(conditionOf(await again(other), "Ready")).toMatchObject({ status: "False", reason: "SharedHook" });
  });

  it("leaves to manual management during a delayed rotation keeps the key that its hook signs with", async () => {
    const { keeper, other } = await aKeptHook();
    given.world.gateways.has = 1;
    const at = { name: keeper, namespace: given.world.namespace };
    const annotations = { "bellhop.dev/rotate-requested-at": "2026-01-01T00:00:00Z" };
    await given.client.mergePatch(GitHubIntegrationKind, at, { metadata: { annotations } });
    const signing = (await given.world.hookSecret(await given.world.read(keeper)))?.current;
    await again(keeper);
    given.world.later(2 * 24 * 3_600_000);
    await given.world.secret("theirs", "a-key-of-theirs");
    const webhook = { install: "Manual", acceptedKeysRef: { name: "theirs", key: "value" } };
    await given.client.mergePatch(GitHubIntegrationKind, at, { spec: { webhook } });
    await again(keeper);
    const secret = await given.world.hookSecret(await again(other));
    expect(secret).toMatchObject({ generation: 2, previous: signing });
  });
});
