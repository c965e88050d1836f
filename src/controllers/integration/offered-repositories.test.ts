import { describe, expect, it } from "vitest";
import { aConnection, aProvider, anIngress, fakeHost } from "../../integrations/testing.ts";
import type { MappedRepository } from "../../integrations/ingress.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { encodeFacts, noFacts } from "../../intake/gateway-facts.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { unexpected } from "../../shared/testing.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { anIntegration } from "../agent-task/testing.ts";
import { integrationHandle } from "../integration-handle.ts";
import { offeredRepositories, publicNames } from "./offered-repositories.ts";
import { aSource } from "./unit/testing.ts";

const clock = new FakeClock();
const deps = {
  client: createFakeClient({ clock }),
  clock,
  log: silentLogger,
  namespace: "bellhop",
  fetch: unexpected("fetch"),
};
const signal = new AbortController().signal;
const codeHostRef = { kind: "GitHubIntegration", name: "shop" };

function chat(mapped: MappedRepository[] = []): { provider: Provider; integration: Integration } {
  const provider = aProvider({
    name: "slack",
    kind: "SlackApp",
    ingress: { ...anIngress(), offersRepositories: true },
    mappedRepositories: () => mapped,
  });
  const plain = anIntegration();
  return { provider, integration: { ...plain, spec: { ...plain.spec, codeHostRef } } };
}

const coversAcme: Provider["covers"] = (_, { repository }) => repository?.owner === "acme";
const offered = (given: { mapped?: MappedRepository[]; names?: string[]; exists?: boolean; ready?: string }) => {
  const host = aProvider({ covers: coversAcme });
  const conditions = [{ type: "Ready", status: given.ready ?? "True", reason: "Test", message: "" }];
  const codeHost = { ...anIntegration(), status: { conditions } };
  const find = () => (given.exists === false ? undefined : integrationHandle(deps, host, codeHost));
  return offeredRepositories({ ...chat(given.mapped), find }, given.names ?? []);
};

describe("the repositories that gateways may offer", () => {
  it("are the mapped ones, only in their places, and the public ones everywhere", () => {
    const mapped = [
      { name: "acme/vault", places: ["C1"] },
      { name: "acme/shop", places: ["C2"] },
    ];
    expect(offered({ mapped, names: ["acme/docs", "acme/shop"] })).toEqual([
      { name: "acme/vault", places: ["C1"] },
      { name: "acme/docs" },
      { name: "acme/shop" },
    ]);
  });

  it("are only those that the code host's integration covers, and none without it", () => {
    const mapped = [{ name: "other/vault", places: ["C1"] }];
    expect(offered({ mapped, names: ["acme/docs"] })).toEqual([{ name: "acme/docs" }]);
    expect(offered({ mapped: [{ name: "acme/vault", places: ["C1"] }], names: ["acme/docs"], exists: false })).toEqual(
      [],
    );
  });

  it("are only the mapped ones while the code host cannot be asked whether the others are still public", () => {
    const mapped = [{ name: "acme/vault", places: ["C1"] }];
    const given = { mapped, names: ["acme/docs"] };
    expect(offered({ ...given, ready: "False" })).toEqual([{ name: "acme/vault", places: ["C1"] }]);
    expect(offered({ ...given, ready: "Unknown" })).toContainEqual({ name: "acme/docs" });
  });

  it("are none for a provider without such menus", () => {
    const find = () => integrationHandle(deps, aProvider(), anIntegration());
    expect(offeredRepositories({ ...chat(), provider: aProvider(), find }, ["acme/docs"])).toEqual([]);
  });

  it("are at most 100 and at most 8 KiB, so that those of many integrations fit into one ConfigMap", () => {
    const names = Array.from({ length: 150 }, (_, at) => `acme/r${at}`);
    expect(offered({ names })).toHaveLength(100);
    const places = Array.from({ length: 256 }, (_, at) => `C${String(at).padStart(10, "0")}`);
    const mapped = Array.from({ length: 100 }, (_, at) => ({ name: `acme/v${at}`, places }));
    const kept = offered({ mapped, names });
    expect(kept.filter(({ places: of }) => of)).toHaveLength(2);
    expect(kept.length).toBeGreaterThan(40);
    expect(Buffer.byteLength(encodeFacts({ ...noFacts, offered: kept }))).toBeLessThan(9 * 1024);
  });
});

describe("the names of public repositories", () => {
  const world = () => {
    const calls = { count: 0, fail: false };
    const { host, state } = fakeHost({
      named: ["docs", "site"].map((name) => ({
        id: name,
        host: "github.com",
        owner: "acme",
        name,
        private: name === "site",
      })),
    });
    const list = host.repositoryNames;
    host.repositoryNames = async (options, given) => {
      calls.count += 1;
      if (calls.fail) throw new ProviderError("Unavailable", "no answer");
      return list(options, given);
    };
    const codeHost = { ...anIntegration(), kind: "GitHubIntegration" };
    const integrations = [codeHost];
    const source = aSource(integrations, aProvider({ connect: async () => aConnection({ codeHost: host }) }));
    return { calls, state, integrations, codeHost, names: publicNames({ ...deps, sources: [source] }) };
  };

  it("are listed once in ten minutes, and again as soon as the code host is edited or becomes ready", async () => {
    const { calls, names, integrations, codeHost } = world();
    const { integration } = chat();
    expect(await names.of(integration, signal)).toEqual({ names: ["acme/docs"] });
    await names.of(integration, signal);
    expect(calls.count).toBe(1);
    integrations[0] = { ...codeHost, metadata: { ...codeHost.metadata, generation: 99 } };
    await names.of(integration, signal);
    expect(calls.count).toBe(2);
    await clock.advance(600_001);
    await names.of(integration, signal);
    expect(calls.count).toBe(3);
  });

  it("are asked for again soon if the code host does not answer", async () => {
    const { calls, names } = world();
    calls.fail = true;
    expect(await names.of(chat().integration, signal)).toEqual({ retryMs: 60_000 });
    calls.fail = false;
    expect(await names.of(chat().integration, signal)).toEqual({ names: ["acme/docs"] });
  });

  it("are none if the code host's integration does not exist", async () => {
    const { names, integrations, calls } = world();
    integrations.length = 0;
    expect(await names.of(chat().integration, signal)).toEqual({ names: [] });
    expect(calls.count).toBe(0);
  });
});
