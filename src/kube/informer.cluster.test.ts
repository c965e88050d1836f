import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../../test/cluster/control-plane.ts";
import { aNamespace, eventually } from "../../test/cluster/namespace.ts";
import { systemClock } from "../shared/clock.ts";
import { silentLogger } from "../shared/log.ts";
import { connect } from "./config.ts";
import { createController, itself } from "./controller.ts";
import { createInformer } from "./informer.ts";
import { configMaps } from "./resources.ts";
import type { KubeConnection } from "./types.ts";

let controlPlane: ControlPlane;
let client: KubeConnection;
const stop = new AbortController();

beforeAll(async () => {
  controlPlane = await startControlPlane();
  ({ client } = await connect({ kubeconfig: controlPlane.kubeconfigPath }));
});

afterAll(async () => {
  stop.abort();
  await client?.close();
  await controlPlane?.stop();
});

describe("an informer and its controller", () => {
  it("recover after the API server was killed, and miss no change", async () => {
    const namespace = await aNamespace(client);
    const reconciled = new Map<string, string | undefined>();
    const informer = createInformer({ client, clock: systemClock, log: silentLogger }, configMaps, { namespace });
    const controller = createController({
      name: "test",
      log: silentLogger,
      clock: systemClock,
      reconciler: async (request) => {
        reconciled.set(request.name, informer.store.get(request)?.data?.["at"]);
        return {};
      },
    });
    controller.watches(informer, itself);
    informer.start(stop.signal);
    await informer.waitForSync(stop.signal);
    controller.start(stop.signal);
    const map = (name: string, at: string) => ({ metadata: { namespace, name }, data: { at } });
    const seen = (name: string, at: string | undefined) =>
      eventually(() => reconciled.has(name) && reconciled.get(name) === at, {
        describe: `${name} to be reconciled as ${at}`,
        timeoutMs: 30_000,
      });

    await client.create(configMaps, map("kept", "before"));
    await client.create(configMaps, map("deleted", "before"));
    await seen("deleted", "before");

    await controlPlane.stopApiServer();
    const failure = await client.get(configMaps, { namespace, name: "kept" }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ status: 0, retryable: true });
    expect(informer.store.get({ namespace, name: "kept" })?.data).toEqual({ at: "before" });
    await controlPlane.startApiServer();

    await client.replace(configMaps, { ...map("kept", "after"), metadata: { namespace, name: "kept" } });
    await client.create(configMaps, map("new", "after"));
    await client.delete(configMaps, { namespace, name: "deleted" });
    await seen("kept", "after");
    await seen("new", "after");
    await seen("deleted", undefined);
  }, 120_000);
});
