import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../../src/kube/config.ts";
import { pods, type Pod } from "../../src/kube/resources.ts";
import type { KubeConnection } from "../../src/kube/types.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { aNamespace, eventually } from "./namespace.ts";
import { type ProcessNode, startProcessNode } from "./process-node.ts";
import { aPod, ended, gone, isAlive, running, sh, statusOf } from "./process-node/testing.ts";

/** A separate control plane, because these tests stop it. */
let controlPlane: ControlPlane;
let client: KubeConnection;
let node: ProcessNode;
let namespace: string;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  ({ client } = await connect({ kubeconfig: controlPlane.kubeconfigPath }));
  namespace = await aNamespace(client);
  node = await startProcessNode({ kubeconfigPath: controlPlane.kubeconfigPath, namespace });
});
afterAll(async () => {
  await node?.stop();
  await client?.close();
  await controlPlane?.stop();
});

const create = (name: string, script: string): Promise<Pod> =>
  client.create(pods, aPod(namespace, name, { containers: [sh("main", script)] }));
const log = (pod: Pod): Promise<string> =>
  node.logOf({ namespace, name: pod.metadata.name, uid: pod.metadata.uid! }, "main");
const processIds = (pod: Pod, count: number): Promise<number[]> =>
  eventually(
    async () => {
      const found = (await log(pod)).trim().split(/\s+/).map(Number);
      return found.length === count && found.every((pid) => pid > 0) && found;
    },
    { describe: `${count} process ids of pod ${pod.metadata.name}` },
  );

describe("the process node", () => {
  it("keeps pods running while the API server is away, and reports their end afterwards", async () => {
    const pod = await create("away", 'until [ -e "$HOME/go" ]; do sleep 0.05; done; exit 5');
    await running(client, pod);
    await controlPlane.stopApiServer();
    await writeFile(`${node.folder}/pods/${pod.metadata.uid}/containers/main/go`, "");
    await controlPlane.startApiServer();
    expect(statusOf(await ended(client, pod), "main")?.state?.terminated?.exitCode).toBe(5);
  });

  it("ends all processes of its pods when it is killed, and reports it after a restart", async () => {
    const pod = await create("orphaned", "setsid sleep 1000 & sleep 1000 & echo $! $$$$; wait");
    const pids = await processIds(pod, 2);
    expect(pids.map(isAlive)).toEqual([true, true]);
    await running(client, pod);
    // Kills only this process; `node.kill` would also kill the processes that it left.
    process.kill(node.pid, "SIGKILL");
    await eventually(() => pids.every((pid) => !isAlive(pid)), { describe: "the pod's processes to end" });
    await node.kill();

    const { nodeName, folder } = node;
    node = await startProcessNode({ kubeconfigPath: controlPlane.kubeconfigPath, namespace, nodeName, folder });
    const after = await ended(client, pod);
    expect(after.status).toMatchObject({ phase: "Failed", reason: "ProcessNodeRestarted" });
    expect(statusOf(after, "main")?.state?.terminated).toMatchObject({ exitCode: 137, reason: "ProcessNodeRestarted" });
    await client.delete(pods, { namespace, name: "orphaned" });
    await gone(client, pod);
  });

  it("does not start a pod again that ended before the restart", async () => {
    const pod = await create("once", "echo ran");
    await ended(client, pod);
    await node.kill();
    const { nodeName, folder } = node;
    node = await startProcessNode({ kubeconfigPath: controlPlane.kubeconfigPath, namespace, nodeName, folder });
    const next = await create("next", "true");
    expect((await ended(client, next)).status?.phase).toBe("Succeeded");
    expect(await log(pod)).toBe("ran\n");
    expect((await client.get(pods, { namespace, name: "once" })).status?.phase).toBe("Succeeded");
  });

  it("ends every process of its pods when it stops", async () => {
    const pod = await create("stopped", "setsid sleep 1000 & echo $! $$$$; wait");
    const pids = await processIds(pod, 2);
    expect(pids.map(isAlive)).toEqual([true, true]);
    await node.stop();
    await eventually(() => pids.every((pid) => !isAlive(pid)), { describe: "the pod's processes to end" });
  });
});
