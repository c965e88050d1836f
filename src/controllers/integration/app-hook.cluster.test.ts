import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { installCrds } from "../../../test/cluster/crds.ts";
import { call } from "../../../test/providers/github/testing.ts";
import { GitHubIntegrationKind, type GitHubIntegration } from "../../api/kinds.ts";
import { connect } from "../../kube/config.ts";
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
  await world.secret("app", world.github.app("bellhop").privateKey);
});
afterEach(() => world?.close());

const appHook = async () => (await call(world.github, "GET /app/hook/config", world.github.appJwt("bellhop"))).body;

async function again(name: string): Promise<GitHubIntegration> {
  await world.reconcile(name);
  return world.read(name);
}

/** Two integrations of one App, `one` for acme/shop and `two` for acme/till, neither looked at. */
async function aPair(): Promise<void> {
  for (const [name, repository] of [
    ["one", "acme/shop"],
    ["two", "acme/till"],
  ] as const) {
    await world.create(name, { credentials: appCredentials(world), repositories: [repository] });
  }
}

const installedOf = (integration: GitHubIntegration) => conditionOf(integration, "WebhookInstalled");

describe("an App's hook that its keeper", () => {
  it("could not install is installed for nobody, and each says why", async () => {
    const jwt = world.github.appJwt("bellhop");
    await call(world.github, "PATCH /app/hook/config", jwt, { url: "https://other.example.com/hook" });
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
      `${world.namespace}/${keeper.metadata.name}, which has not installed it`,
    );
    expect(installedOf(other)?.message).toContain(message);
    expect(conditionOf(other, "Ready")).toMatchObject({ status: "False", reason: "SharedHook" });

    const at = { name: keeper.metadata.name, namespace: world.namespace };
    await client.mergePatch(GitHubIntegrationKind, at, { spec: { webhook: { takeOver: true } } });
    await again(keeper.metadata.name);
    const mended = await again(other.metadata.name);
    expect(conditionOf(mended, "Ready")).toMatchObject({ status: "True" });
    expect((await appHook())["url"]).toBe(mended.status?.webhookURL);
  });
});
