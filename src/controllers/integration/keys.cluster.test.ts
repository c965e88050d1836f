import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { installCrds } from "../../../test/cluster/crds.ts";
import { GitHubIntegrationKind, type GitHubIntegration } from "../../api/kinds.ts";
import { gatewayFactsConfigMapName } from "../../intake/gateway-facts.ts";
import { connect } from "../../kube/config.ts";
import { configMaps } from "../../kube/resources.ts";
import type { KubeConnection } from "../../kube/types.ts";
import { anIntegrationWorld, appCredentials, conditionOf, type IntegrationWorld } from "./testing.ts";

let client: KubeConnection;
let world: IntegrationWorld;

beforeAll(async () => {
  ({ client } = await connect({ kubeconfig: inject("kubeconfigPath") }));
  await installCrds(client);
});
afterAll(() => client.close());
beforeEach(async () => {
  world = await anIntegrationWorld(client);
  await world.secret("token", await world.github.people.createUserToken({ login: "bot" }));
  await world.secret("app", world.github.app("bellhop").privateKey);
});
afterEach(() => world?.close());

async function settle(name: string, spec: object = {}): Promise<GitHubIntegration> {
  await world.create(name, spec);
  return again(name);
}

async function again(name: string): Promise<GitHubIntegration> {
  await world.reconcile(name);
  return world.read(name);
}

const ready = async (name: string) => conditionOf(await again(name), "Ready");
const accepting = (name: string) => ({ webhook: { acceptedKeysRef: { name, key: "value" } } });

describe("an accepted key that cannot be used", () => {
  const unusable = [
    { name: "is not there", arrange: async () => {}, reason: "SecretNotFound", message: /theirs is not there/ },
    {
      name: "is for something else",
      arrange: () => world.secret("theirs", "a-key", { allowedFor: "GitHubIntegration/github.com" }),
      reason: "SecretNotAllowed",
      message: /annotate it/,
    },
    {
      name: "has another name",
      arrange: () => world.secret("theirs", "a-key", { key: "other" }),
      reason: "SecretKeyMissing",
      message: /has no key `value`/,
    },
    {
      name: "is a newline",
      arrange: () => world.secret("theirs", "\n"),
      reason: "SecretKeyMissing",
      message: /or it is empty/,
    },
  ];

  it.each(unusable)("as it $name is why the integration is not ready", async ({ arrange, reason, message }) => {
    await arrange();
    const auto = await settle("auto", { repositories: ["acme/till"], ...accepting("theirs") });
    const manual = await settle("manual", {
      webhook: { install: "Manual", acceptedKeysRef: { name: "theirs", key: "value" } },
    });
    const expected = { reason, message: expect.stringMatching(message) as string };
    expect(conditionOf(auto, "Stalled")).toMatchObject({ status: "True", ...expected });
    expect(conditionOf(manual, "WebhookInstalled")).toMatchObject({ status: "False", ...expected });
    expect(conditionOf(manual, "Stalled")).toMatchObject({ status: "False" });
    for (const each of [auto, manual])
      expect(conditionOf(each, "Ready")).toMatchObject({ status: "False", ...expected });

    await world.secret("theirs", "a-key");
    await client.delete(GitHubIntegrationKind, { name: "auto", namespace: world.namespace });
    await world.reconcile("auto");
    expect(await ready("manual")).toMatchObject({ status: "True" });
  });
});

describe("the key before the last one", () => {
  const manual = { webhook: { install: "Manual", acceptedKeysRef: { name: "theirs", key: "value" } } };
  const change = (patch: object) =>
    client.mergePatch(GitHubIntegrationKind, { name: "shop", namespace: world.namespace }, patch);
  const rotate = { metadata: { annotations: { "bellhop.dev/rotate-requested-at": "2026-01-01T00:00:00Z" } } };

  it.each([
    { name: "repositories", spec: () => ({}), said: /^Hooks that Bellhop made were removed\./ },
    {
      name: "an App, whose one hook stays and is named",
      spec: () => ({ credentials: appCredentials(world) }),
      said: /The hook of app cannot be removed and has Bellhop's key: set the key of/,
    },
  ])("goes in its time where a person took over the hooks of $name", async ({ spec, said }) => {
    await world.secret("theirs", "a-key");
    const before = await settle("shop", spec());
    await change(rotate);
    await again("shop");
    await change({ spec: manual });
    const after = await again("shop");
    expect(conditionOf(after, "WebhookInstalled")).toMatchObject({
      status: "True",
      reason: "Manual",
      message: expect.stringMatching(said) as string,
    });
    await again("shop");
    expect(await world.hookSecret(before)).toHaveProperty("previous");
    world.later(2 * 24 * 3_600_000);
    await again("shop");
    expect(await world.hookSecret(before)).not.toHaveProperty("previous");
  });
});

describe("an integration that went without its finalizer", () => {
  async function force(name: string): Promise<void> {
    const at = { name, namespace: world.namespace };
    await client.delete(GitHubIntegrationKind, at);
    await client.mergePatch(GitHubIntegrationKind, at, { metadata: { finalizers: null } });
  }
  const facts = async () =>
    Object.keys(
      (await client.get(configMaps, { name: gatewayFactsConfigMapName, namespace: world.namespace })).data ?? {},
    );

  it("leaves nothing once it was swept, and nobody else loses anything", async () => {
    const stays = await settle("stays");
    const gone = await settle("gone", { repositories: ["acme/till"] });
    await force("gone");
    await world.sweep();
    expect(await world.hookSecret(gone)).toBeUndefined();
    expect(await world.hookSecret(stays)).toBeDefined();
    expect(await facts()).toEqual([stays.metadata.uid]);
    expect((await world.routes()).flatMap(({ members }) => members.map(({ name }) => name))).toEqual(["stays"]);
  });

  it("leaves an App's key to the others, and to nobody when it was the last", async () => {
    for (const name of ["one", "two"]) await settle(name, { credentials: appCredentials(world) });
    const two = await world.read("two");
    await force("one");
    await world.sweep();
    expect(await world.hookSecret(two)).toBeDefined();
    expect(await facts()).toEqual([two.metadata.uid]);
    await force("two");
    await world.sweep();
    expect(await world.hookSecret(two)).toBeUndefined();
    expect(await facts()).toEqual([]);
    expect(await world.routes()).toEqual([]);
  });
});

describe("one bad integration", () => {
  it.each([
    { name: "a token", credentials: () => ({}) },
    { name: "an App", credentials: () => ({ credentials: appCredentials(world) }) },
  ])("with an address that is none and $name says so, and takes no other down", async ({ credentials }) => {
    await settle("good", credentials());
    await world.secret("mine", "a-key-of-its-own");
    const bad = await settle("bad", { url: "https://a:99999", ...credentials(), ...accepting("mine") });
    expect(conditionOf(bad, "Ready")).toMatchObject({ status: "False" });
    expect(conditionOf(bad, "CredentialsValid")).toMatchObject({ status: "False", reason: "URLInvalid" });
    expect(conditionOf(bad, "CredentialsValid")?.message).toContain("https://a:99999");
    expect(await ready("good")).toMatchObject({ status: "True" });
  });

  it("whose accepted key is a newline takes no other down", async () => {
    await world.secret("newline", "\n");
    await settle("good");
    await settle("bad", { repositories: ["acme/till"], ...accepting("newline") });
    expect(await ready("good")).toMatchObject({ status: "True" });
    for (const route of await world.routes()) expect(route.keys).toHaveLength(1);
  });
});
