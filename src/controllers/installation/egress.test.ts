import { describe, expect, it } from "vitest";
import { endpointSlices, nodes, services } from "../../kube/resources.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { egressProbes } from "./egress.ts";

const signal = AbortSignal.timeout(5_000);
const clock = new FakeClock(new Date());

describe("egressProbes", () => {
  it("names the API server, a canary, some nodes and the cluster's DNS", async () => {
    const client = createFakeClient();
    client.seed(endpointSlices, {
      metadata: { name: "kubernetes", namespace: "default", labels: { "kubernetes.io/service-name": "kubernetes" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.0.0.1"] }],
      ports: [{ port: 6443 }],
    });
    for (const n of [1, 2, 3, 4, 5]) {
      const addresses = [
        { type: "Hostname", address: `n${n}` },
        { type: "InternalIP", address: `10.0.1.${n}` },
      ];
      client.seed(nodes, { metadata: { name: `n${n}` }, status: { addresses } });
    }
    client.seed(services, {
      metadata: { name: "kube-dns", namespace: "kube-system" },
      spec: { clusterIP: "10.96.0.10" },
    });
    const canaries = async () => [{ host: "10.0.2.1", port: 8081 }];
    const { probes, notProbed } = await egressProbes({ client, canaries, clock })(signal);
    const described = probes.map(({ name, host, port, protocol = "tcp" }) => `${name} ${protocol} ${host}:${port}`);
    expect(described).toEqual([
      "API server tcp 10.0.0.1:6443",
      "canary tcp 10.0.2.1:8081",
      "node n1 tcp 10.0.1.1:10250",
      "node n2 tcp 10.0.1.2:10250",
      "node n3 tcp 10.0.1.3:10250",
      "cluster DNS tcp 10.96.0.10:53",
      "cluster DNS dns 10.96.0.10:53",
    ]);
    expect(notProbed).toEqual(["2 more nodes"]);
  });

  it("lists targets without a known address as not probed", async () => {
    const client = createFakeClient();
    client.seed(endpointSlices, {
      metadata: { name: "kubernetes", namespace: "default", labels: { "kubernetes.io/service-name": "kubernetes" } },
      addressType: "IPv4",
      // The server sends null for an empty list, which the type excludes.
      endpoints: null as never,
    });
    const answer = await egressProbes({ client, canaries: async () => [], clock })(signal);
    const notProbed = ["API server", "canary: no gateway answers", "nodes", "cluster DNS"];
    expect(answer).toEqual({ probes: [], notProbed });
  });

  it("reads the cluster's addresses once a minute, and asks for a canary each time", async () => {
    const client = createFakeClient();
    let [requests, asked] = [0, 0];
    client.before = () => void requests++;
    const canaries = async () => [{ host: `10.0.2.${++asked}`, port: 8081 }];
    const probe = egressProbes({ client, canaries, clock });
    await probe(signal);
    const first = requests;
    expect((await probe(signal)).probes).toMatchObject([{ name: "canary", host: "10.0.2.2" }]);
    expect([first > 0, requests]).toEqual([true, first]);
    await clock.advance(60_000);
    await probe(signal);
    expect(requests).toBe(2 * first);
  });
});
