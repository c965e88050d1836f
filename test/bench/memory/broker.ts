import { freePort } from "../../cluster/ports.ts";
import { report } from "./resident.ts";
import type { World } from "./world.ts";

/** Measures an idle broker that has loaded the keys that an operator wrote. */
export async function measureBroker(world: World, namespace: string, log: (line: string) => void): Promise<void> {
  const port = await freePort();
  const broker = await world.start("broker", { BELLHOP_NAMESPACE: namespace, BELLHOP_PORT: String(port) });
  await report(log, "broker", "idle", broker.pid);
  await broker.stop();
}
