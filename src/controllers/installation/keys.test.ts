import { beforeEach, describe, expect, it } from "vitest";
import { secrets } from "../../kube/resources.ts";
import { createFakeClient, type FakeClient } from "../../kube/testing.ts";
import { keepKeys } from "./keys.ts";

const dayMs = 86_400_000;
const noon = new Date("2026-03-01T12:00:00Z");
const after = (days: number): Date => new Date(noon.getTime() + days * dayMs);
let client: FakeClient;

beforeEach(() => {
  client = createFakeClient();
});

const keep = (now: Date, brokerHosts = ["broker.test"]): Promise<{ caCertificate: string }> =>
  keepKeys(
    { client, namespace: "bellhop", brokerNamespace: "bellhop-broker", brokerHosts, signingKeyMaxAgeMs: 30 * dayMs },
    now,
    AbortSignal.timeout(5_000),
  );

const all = () =>
  client.objects(secrets).map(({ metadata, data }) => ({ at: `${metadata.namespace}/${metadata.name}`, data }));

function read(namespace: string, name: string, key: string): string | undefined {
  const found = client
    .objects(secrets)
    .find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  return found?.data?.[key];
}

describe("the installation's keys", () => {
  it("are created once: CA in the operator's namespace, certificate and signing keys in the broker's", async () => {
    const { caCertificate } = await keep(noon);
    expect(caCertificate).toContain("BEGIN CERTIFICATE");
    const made = all();
    expect(made.map(({ at }) => at).toSorted()).toEqual([
      "bellhop-broker/broker-signing",
      "bellhop-broker/broker-tls",
      "bellhop/bellhop-ca",
    ]);
    await keep(after(1));
    expect(all()).toEqual(made);
  });

  it("never put the CA's private key into the broker's namespace", async () => {
    await keep(noon);
    const key = read("bellhop", "bellhop-ca", "tls.key");
    const theirs = client.objects(secrets).filter(({ metadata }) => metadata.namespace === "bellhop-broker");
    expect(JSON.stringify(theirs)).not.toContain(key);
  });

  it("renew the broker's certificate in time, for other names, and if it is unreadable", async () => {
    await keep(noon);
    const certificate = (): string | undefined => read("bellhop-broker", "broker-tls", "tls.crt");
    const first = certificate();
    await keep(after(59));
    expect(certificate()).toBe(first);
    await keep(after(61));
    const second = certificate();
    expect(second).not.toBe(first);
    await keep(after(61), ["other.test"]);
    expect(certificate()).not.toBe(second);
    const broken = { "tls.crt": Buffer.from("nonsense").toString("base64"), "tls.key": "eA==" };
    client.seed(secrets, { metadata: { name: "broker-tls", namespace: "bellhop-broker" }, data: broken });
    await keep(after(61));
    expect(Buffer.from(certificate() ?? "", "base64").toString()).toContain("BEGIN CERTIFICATE");
  });

  it("rotate the key that signs capabilities, and keep the previous one so that running couriers stay valid", async () => {
    await keep(noon);
    const current = read("bellhop-broker", "broker-signing", "current");
    await keep(after(29));
    expect(read("bellhop-broker", "broker-signing", "current")).toBe(current);
    await keep(after(31));
    expect(read("bellhop-broker", "broker-signing", "previous")).toBe(current);
    expect(read("bellhop-broker", "broker-signing", "current")).not.toBe(current);
  });
});
