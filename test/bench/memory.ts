import { measureBroker } from "./memory/broker.ts";
import { measureCourier } from "./memory/courier.ts";
import { measureGateway } from "./memory/gateway.ts";
import { measureOperator } from "./memory/operator.ts";
import { aWorld } from "./memory/world.ts";

const at = { namespace: "bellhop-memory", brokerNamespace: "bellhop-memory-broker" };

/**
 * Measures the memory of each process, idle and after load. Each process is started with the command of the image and connected to an API
 * server as in a pod. The requests and limits in charts/bellhop/values.yaml and src/sandbox/pod/pod.ts are based on the results.
 * DELIVERIES, TASKS and FILES are taken from the environment.
 */
export async function run(log: (line: string) => void): Promise<void> {
  const world = await aWorld(Object.values(at));
  try {
    log("MiB resident (of them not backed by files), 15 s after the last work, and the most there were");
    const operator = await measureOperator(world, at, log);
    await measureBroker(world, at.brokerNamespace, log);
    await operator.stop();
    // Last: an operator that runs would hold these tasks too.
    await measureGateway(world, log);
  } finally {
    await world.stop();
  }
  await measureCourier(log);
}
