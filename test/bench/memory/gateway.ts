import { Agent, getGlobalDispatcher, setGlobalDispatcher } from "undici";
import { aComment } from "../../../src/intake/testing.ts";
import { freePort } from "../../cluster/ports.ts";
import { aPublishedIntegration, deliver } from "../../integration/gateway-world.ts";
import { report } from "./resident.ts";
import { several } from "./several.ts";
import type { World } from "./world.ts";

const deliveries = Number(process.env["DELIVERIES"] ?? 24_000);
const concurrency = 8;
const text = `@bellhop ${"please fix the failing build. ".repeat(20)}`;

/** Measures an idle gateway, and one that has created thousands of tasks from deliveries. */
export async function measureGateway(world: World, log: (line: string) => void): Promise<void> {
  const { namespace, route } = await aPublishedIntegration(world.client);
  const port = await freePort();
  const gateway = await world.start("gateway", { BELLHOP_NAMESPACE: namespace, BELLHOP_PORT: String(port) });
  const before = getGlobalDispatcher();
  const dispatcher = new Agent({ connections: concurrency });
  setGlobalDispatcher(dispatcher);
  try {
    await report(log, "gateway", "idle", gateway.pid);
    const url = `http://127.0.0.1:${port}`;
    await several({ what: "deliveries", total: deliveries, atOnce: concurrency, log }, async (id) => {
      const { status } = await deliver({ url }, route, aComment({ id, body: text }));
      if (status !== 202) throw new Error(`the gateway answered ${status}`);
    });
    await report(log, "gateway", `after ${deliveries} deliveries`, gateway.pid);
  } finally {
    setGlobalDispatcher(before);
    await dispatcher.close();
    await gateway.stop();
  }
}
