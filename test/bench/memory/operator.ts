import { createFinished } from "../finished.ts";
import { report } from "./resident.ts";
import { several } from "./several.ts";
import type { Measured, World } from "./world.ts";

const tasks = Number(process.env["TASKS"] ?? 5_000);

/**
 * Measures an idle operator, and one that starts when thousands of finished tasks exist. Returns the second one, still running: the
 * broker's benchmark needs the keys that it writes.
 */
export async function measureOperator(
  world: World,
  at: { namespace: string; brokerNamespace: string },
  log: (line: string) => void,
): Promise<Measured> {
  const start = () =>
    world.start("operator", {
      BELLHOP_NAMESPACE: at.namespace,
      BELLHOP_BROKER_NAMESPACE: at.brokerNamespace,
      BELLHOP_BROKER_URL: "https://127.0.0.1:8443",
      BELLHOP_SANDBOX_BACKEND: "process",
      BELLHOP_ALLOW_NOT_ISOLATED: "true",
      BELLHOP_IMAGE: "bellhop:bench",
    });
  const idle = await start();
  await report(log, "operator", "idle", idle.pid);
  await idle.stop();
  const creating = { what: "finished tasks created", total: tasks, atOnce: 16, log };
  await several(creating, (id) => createFinished(world.client, at.namespace, id));
  const operator = await start();
  await report(log, "operator", `with ${tasks} finished tasks`, operator.pid);
  return operator;
}
