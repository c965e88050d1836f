import { freePort } from "../../cluster/ports.ts";
import { report } from "./resident.ts";
import type { World } from "./world.ts";

/** A broker that has the keys which an operator left, and nothing to do. */
export async function measureBroker(world: World, namespace: string, log: (line: string) => void): Promise<void> {
  const port = await freePort();
  const broker = await world.start("broker", { BELLHOP_NAMESPACE: namespace, BELLHOP_PORT: String(port) });
  await report(log, "broker", "idle", broker.pid);
  await broker.stop();
}
