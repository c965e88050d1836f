import { describe, expect, it } from "vitest";
import { GitHubIntegrationKind } from "../../api/github-integration.ts";
import { gatewayFactsConfigMapName } from "../../intake/gateway-facts.ts";
import { configMaps } from "../../kube/resources.ts";
import { integrationTests } from "./cluster/testing.ts";
import { appCredentials, conditionOf } from "./testing.ts";

const given = integrationTests();
const { again, settle } = given;

const ready = async (name: string) => conditionOf(await again(name), "Ready");
const accepting = (name: string) => ({ webhook: { acceptedKeysRef: { name, key: "value" } } });

describe("an accepted key that cannot be used", () => {
  const unusable = [
    { name: "does not exist", arrange: async () => {}, reason: "SecretNotFound", message: /theirs does not exist/ },
    {
      name: "is not allowed for the integration",
      arrange: () => given.world.secret("theirs", "a-key", { allowedFor: "GitHubIntegration/github.com" }),
      reason: "SecretNotAllowed",
      message: /add the annotation/,
    },
    {
      name: "has another name",
      arrange: () => given.world.secret("theirs", "a-key", { key: "other" }),
      reason: "SecretKeyMissing",
      message: /has no key `value`/,
    },
    {
      name: "is a newline",
      arrange: () => given.world.secret("theirs", "\n"),
      reason: "SecretKeyMissing",
      message: /or the key is empty/,
    },
  ];

  it.each(unusable)("makes the integration not ready because it $name", async ({ arrange, reason, message }) => {
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

    await given.world.secret("theirs", "a-key");
    await given.client.delete(GitHubIntegrationKind, { name: "auto", namespace: given.world.namespace });
    await given.world.reconcile("auto");
    expect(await ready("manual")).toMatchObject({ status: "True" });
  });
});

describe("the previous key", () => {
  const manual = { webhook: { install: "Manual", acceptedKeysRef: { name: "theirs", key: "value" } } };
  const change = (patch: object) =>
    given.client.mergePatch(GitHubIntegrationKind, { name: "shop", namespace: given.world.namespace }, patch);
  const rotate = { metadata: { annotations: { "bellhop.dev/rotate-requested-at": "2026-01-01T00:00:00Z" } } };

  it.each([
    { name: "repositories", spec: () => ({}), said: /^Removed the hooks that Bellhop created\./ },
    {
      name: "an App, whose only hook stays and is named",
      spec: () => ({ credentials: appCredentials(given.world) }),
      said: /The hook of app cannot be removed and still has Bellhop's key: set it to the key of/,
    },
  ])("expires if the hooks of $name are changed to manual management", async ({ spec, said }) => {
    await given.world.secret("theirs", "a-key");
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
    expect(await given.world.hookSecret(before)).toHaveProperty("previous");
    given.world.later(2 * 24 * 3_600_000);
    await again("shop");
    expect(await given.world.hookSecret(before)).not.toHaveProperty("previous");
  });
});

describe("an integration that was deleted without its finalizer", () => {
  async function force(name: string): Promise<void> {
    const at = { name, namespace: given.world.namespace };
    await given.client.delete(GitHubIntegrationKind, at);
    await given.client.mergePatch(GitHubIntegrationKind, at, { metadata: { finalizers: null } });
  }
  const facts = async () =>
    Object.keys(
      (await given.client.get(configMaps, { name: gatewayFactsConfigMapName, namespace: given.world.namespace }))
        .data ?? {},
    );

  it("leaves nothing after the sweep, and no other integration loses anything", async () => {
    const stays = await settle("stays");
    const gone = await settle("gone", { repositories: ["acme/till"] });
    await force("gone");
    await given.world.sweep();
    expect(await given.world.hookSecret(gone)).toBeUndefined();
    expect(await given.world.hookSecret(stays)).toBeDefined();
    expect(await facts()).toEqual([stays.metadata.uid]);
    expect((await given.world.routes()).flatMap(({ members }) => members.map(({ name }) => name))).toEqual(["stays"]);
  });

  it("leaves an App's key to the others, and none when it was the last", async () => {
    for (const name of ["one", "two"]) await settle(name, { credentials: appCredentials(given.world) });
    const two = await given.world.read("two");
    await force("one");
    await given.world.sweep();
    expect(await given.world.hookSecret(two)).toBeDefined();
    expect(await facts()).toEqual([two.metadata.uid]);
    await force("two");
    await given.world.sweep();
    expect(await given.world.hookSecret(two)).toBeUndefined();
    expect(await facts()).toEqual([]);
    expect(await given.world.routes()).toEqual([]);
  });
});

describe("one faulty integration", () => {
  it.each([
    { name: "a token", credentials: () => ({}) },
    { name: "an App", credentials: () => ({ credentials: appCredentials(given.world) }) },
  ])("with an invalid URL and $name says so, and does not affect others", async ({ credentials }) => {
    await settle("good", credentials());
    await given.world.secret("mine", "a-key-of-its-own");
    const bad = await settle("bad", { url: "https://a:99999", ...credentials(), ...accepting("mine") });
    expect(conditionOf(bad, "Ready")).toMatchObject({ status: "False" });
    expect(conditionOf(bad, "CredentialsValid")).toMatchObject({ status: "False", reason: "URLInvalid" });
    expect(conditionOf(bad, "CredentialsValid")?.message).toContain("https://a:99999");
    expect(await ready("good")).toMatchObject({ status: "True" });
  });

  it("whose accepted key is a newline does not affect others", async () => {
    await given.world.secret("newline", "\n");
    await settle("good");
    await settle("bad", { repositories: ["acme/till"], ...accepting("newline") });
    expect(await ready("good")).toMatchObject({ status: "True" });
    for (const route of await given.world.routes()) expect(route.keys).toHaveLength(1);
  });
});
