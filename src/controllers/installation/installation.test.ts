import { expect, it } from "vitest";
import { services } from "../../kube/resources.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { installationRequest, keepInstallation } from "./index.ts";

it("gives each fact about the installation as soon as it is found", async () => {
  const client = createFakeClient();
  const service = { metadata: { namespace: "bellhop-broker", name: "broker" }, spec: { ports: [{ port: 8443 }] } };
  await client.create(services, service);
  const { facts, reconciler } = keepInstallation({
    client,
    clock: new FakeClock(),
    namespace: "bellhop",
    brokerNamespace: "bellhop-broker",
    brokerHosts: ["broker.test"],
    signingKeyMaxAgeMs: 86_400_000,
    brokerService: service.metadata,
  });
  const reconcile = () => reconciler(installationRequest, AbortSignal.timeout(5_000));
  expect(facts()).toEqual({});

  await expect(reconcile()).rejects.toThrow("Service bellhop-broker/broker has no cluster IP");
  expect(facts()).toEqual({ caCertificate: expect.stringContaining("BEGIN CERTIFICATE") });

  await client.mergePatch(services, service.metadata, { spec: { clusterIP: "10.96.0.20" } });
  await reconcile();
  expect(facts()).toMatchObject({ brokerIP: "10.96.0.20" });
});
