import { describe, expect, it } from "vitest";
import { decodeFacts, gatewayFactsConfigMapName } from "../../intake/gateway-facts.ts";
import { aProvider, anIngress } from "../../integrations/testing.ts";
import type { MappedRepository } from "../../integrations/ingress.ts";
import { configMaps } from "../../kube/resources.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { anIntegration } from "../agent-task/testing.ts";
import { integrationHandle } from "../integration-handle.ts";
import { publishFacts, withdrawFacts } from "./gateway-facts.ts";
import { integrationDeps } from "./unit/testing.ts";

const signal = new AbortController().signal;
const plain = anIntegration({ name: "chat" });
const chat = { ...plain, spec: { ...plain.spec, codeHostRef: { kind: "GitHubIntegration", name: "shop" } } };
const uid = chat.metadata.uid ?? "";

function world() {
  const client = createFakeClient();
  const base = integrationDeps({ client });
  const publish = async (mapped: MappedRepository[], publicOnes?: readonly string[]) => {
    const provider = aProvider({
      ingress: { ...anIngress(), offersRepositories: true },
      mappedRepositories: () => mapped,
    });
    const find = () => integrationHandle(base, aProvider(), anIntegration());
    const deps = { ...base, namespace: "bellhop", provider, find };
    await publishFacts(deps, chat, { signal, ...(publicOnes ? { publicOnes } : {}) });
    return decodeFacts(await entry()).offered;
  };
  const entry = async (): Promise<string | undefined> =>
    (await client.find(configMaps, { namespace: "bellhop", name: gatewayFactsConfigMapName }))?.data?.[uid];
  return { client, publish, entry };
}

describe("the published repositories of an integration", () => {
  const vault = { name: "acme/vault", places: ["C1"] };

  it("keep the names of public ones if the code host does not answer, and follow the mapping at once", async () => {
    const { publish } = world();
    expect(await publish([vault], ["acme/docs"])).toEqual([vault, { name: "acme/docs" }]);
    expect(await publish([{ ...vault, places: ["C2"] }])).toEqual([
      { ...vault, places: ["C2"] },
      { name: "acme/docs" },
    ]);
    expect(await publish([])).toEqual([{ name: "acme/docs" }]);
    expect(await publish([], [])).toEqual([]);
  });

  it("do not become public because they were mapped before", async () => {
    const { publish } = world();
    await publish([vault], ["acme/docs"]);
    expect(JSON.stringify(await publish([]))).not.toContain("acme/vault");
  });

  it("are withdrawn with the integration", async () => {
    const { client, publish, entry } = world();
    await publish([vault], ["acme/docs"]);
    await withdrawFacts({ client, namespace: "bellhop" }, chat, signal);
    expect(await entry()).toBeUndefined();
  });
});
