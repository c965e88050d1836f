import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endpointSlices } from "../../kube/resources.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { answeringGateways, behind, gatewaysAt, gatewaysOfService } from "./gateways.ts";

describe("behind", () => {
  it.each([
    {
      name: "all replicas have it",
      answers: [
        { address: "a", generation: 3 },
        { address: "b", generation: 4 },
      ],
      said: undefined,
    },
    {
      name: "one replica has an older generation",
      answers: [
        { address: "a", generation: 3 },
        { address: "b", generation: 2 },
      ],
      said: "gateway replicas without key generation 3: b (has generation 2)",
    },
    {
      name: "one replica does not answer",
      answers: [{ address: "a", generation: undefined }],
      said: "gateway replicas without key generation 3: a (does not answer)",
    },
    { name: "there are no replicas", answers: [], said: "no gateway replica is ready" },
  ])("names the replicas that delay a key if $name", ({ answers, said }) => {
    expect(behind(answers, 3)).toBe(said);
  });
});

describe("reading generations from the gateways", () => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/readyz" ? 503 : 404;
    response.end(JSON.stringify({ ok: false, generation: 7 }));
  });
  let port = 0;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => void server.close());
  const signal = AbortSignal.timeout(20_000);

  it("reads the generation of ready and unready replicas, and none of a replica that does not answer", async () => {
    const answers = await gatewaysAt([`127.0.0.1:${port}`, "127.0.0.1:1"]).generations(signal);
    expect(answers).toEqual([
      { address: `127.0.0.1:${port}`, generation: 7 },
      { address: "127.0.0.1:1", generation: undefined },
    ]);
  });

  it("asks each ready address of the Service once", async () => {
    const client = createFakeClient();
    const slice = (name: string, endpoints: unknown) =>
      client.seed(endpointSlices, {
        metadata: { name, namespace: "bellhop", labels: { "kubernetes.io/service-name": "gateway" } },
        addressType: "IPv4",
        // The server sends null for an empty list, which the type excludes.
        endpoints: endpoints as never,
      });
    slice("one", [
      { addresses: ["127.0.0.1"], conditions: { ready: true } },
      { addresses: ["127.0.0.2"], conditions: { ready: false } },
    ]);
    slice("two", [{ addresses: ["127.0.0.1"] }]);
    slice("empty", null);
    const gateways = gatewaysOfService({ client, namespace: "bellhop", serviceName: "gateway", probePort: port });
    expect(await gateways.generations(signal)).toEqual([{ address: "127.0.0.1", generation: 7 }]);
    expect(await answeringGateways(gateways, port, signal)).toEqual([{ host: "127.0.0.1", port }]);
  });

  it("does not list a replica that does not answer as answering", async () => {
    const generations = async () => [{ address: "192.0.2.1", generation: undefined }];
    expect(await answeringGateways({ generations }, port, signal)).toEqual([]);
  });
});
