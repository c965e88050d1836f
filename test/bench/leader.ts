import { connect } from "../../src/kube/config.ts";
import { leases } from "../../src/kube/resources.ts";
import type { KubeConnection } from "../../src/kube/types.ts";
import { startCandidate } from "../cluster/candidates.ts";
import { startControlPlane } from "../cluster/control-plane.ts";
import { prepareDaemons } from "../cluster/daemons.ts";
import { eventually } from "../cluster/eventually.ts";
import { aNamespace } from "../cluster/namespace.ts";
import { msOf, rounds, spread } from "./statistics.ts";

const count = Number(process.env["ROUNDS"] ?? 3);
const leaseMs = 15_000;

/** Measures the time without a leader after a clean stop of the leader and after a kill, in milliseconds and relative to its lease. */
export async function run(log: (line: string) => void): Promise<void> {
  const controlPlane = await startControlPlane({ daemons: await prepareDaemons("control plane", { say: log }) });
  const { kubeconfigPath } = controlPlane;
  const { client } = await connect({ kubeconfig: kubeconfigPath });
  try {
    const after = (signal: NodeJS.Signals) => () => withoutLeader({ client, kubeconfigPath, signal });
    const results = await rounds(count, { stop: after("SIGTERM"), death: after("SIGKILL") }, log, { warmUp: false });
    for (const how of ["stop", "death"] as const) {
      const ms = results.map((one) => one[how]);
      log(
        `${how.padEnd(5)}  ${spread(ms, 0)} ms; of the lease ${spread(
          ms.map((one) => one / leaseMs),
          2,
        )}`,
      );
    }
  } finally {
    await client.close();
    await controlPlane.stop();
  }
}

interface Take {
  client: KubeConnection;
  kubeconfigPath: string;
  signal: NodeJS.Signals;
}

async function withoutLeader({ client, kubeconfigPath, signal }: Take): Promise<number> {
  const namespace = await aNamespace(client, "leader");
  const leader = startCandidate({ kubeconfigPath, namespace, identity: "one" });
  await leader.said("leads");
  const standby = startCandidate({ kubeconfigPath, namespace, identity: "two" });
  try {
    await standby.said("waits");
    await renewed(client, namespace);
    leader.child.kill(signal);
    return await msOf(() => standby.said("leads"));
  } finally {
    for (const { child } of [leader, standby]) child.kill("SIGKILL");
  }
}

/** After two renewals the standby has read the lease. */
async function renewed(client: KubeConnection, namespace: string): Promise<void> {
  const renewal = async (): Promise<string | undefined> =>
    (await client.get(leases, { namespace, name: "operator" })).spec?.renewTime;
  for (let times = 0; times < 2; times++) {
    const before = await renewal();
    await eventually(async () => (await renewal()) !== before, { describe: "a renewal of the lease" });
  }
}
