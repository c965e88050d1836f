import { existsSync, mkdirSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { prepareDaemons } from "../daemons.ts";
import { createCgroups } from "./cgroups.ts";
import { startContainerd } from "./containerd.ts";
import { kubeconfigOf, startControlPlane } from "./control-plane.ts";
import type { StartedDaemon } from "./daemon.ts";
import { startDaemon } from "./daemon.ts";
import type { ExternalHost } from "./external-host.ts";
import { createExternalHost } from "./external-host.ts";
import { startKubeProxy, startKubelet } from "./kubelet.ts";
import type { Namespaces } from "./namespaces.ts";
import { createNamespaces } from "./namespaces.ts";
import { createNetwork } from "./network.ts";
import { startEnforcer } from "./network-policy/start.ts";
import type { NodeLayout, NodeOptions } from "./options.ts";
import { layoutOf } from "./options.ts";
import { installPrerequisites } from "./prerequisites.ts";
import { pauseImageTar } from "./pause-image.ts";
import { writePKI } from "./pki.ts";
import type { RunOptions, RunResult } from "./run.ts";
import { run, tailOfFile, tryRun } from "./run.ts";
import { stopNode } from "./stop.ts";
import { nodeSupport } from "./support.ts";
import { tool } from "./tools.ts";
import { until } from "./wait.ts";
import { defined } from "../../../src/shared/defined.ts";

/** A running Kubernetes 1.36 node with its control plane. Its network has no link to this machine's network. */
export interface RealNode {
  /** Name of the Node object. */
  name: string;
  /** Folder with the node's logs and files; `stop` deletes it. */
  folder: string;
  /** A cluster administrator's kubeconfig. Its address answers only inside the node's network. */
  kubeconfigPath: string;
  /** The node's address, where NodePorts answer. */
  address: string;
  /** Environment variables for processes that use this cluster: `KUBECONFIG`, and a `PATH` with kubectl and helm. */
  env: Record<string, string>;
  /** Prefix for a command line, so that the command runs in the node's network with this machine's files. */
  enter: readonly string[];
  /** Runs a command in the node's network, with `env`, and returns when it has ended. Does not throw if the exit code is not 0. */
  exec(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /**
   * Starts a process in the node's network, with `env` and this machine's files. It ends with the node; its output is in
   * `<folder>/logs/<name>.log`. (Background processes of `exec` do not end with the node.)
   */
  start(name: string, argv: readonly string[], env?: NodeJS.ProcessEnv): StartedDaemon;
  /** Runs kubectl with these arguments; returns its output, or throws its message. */
  kubectl(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Imports the images of a docker or OCI archive, under the names in the archive. */
  importImage(tar: string): Promise<void>;
  /** Creates a simulated machine on the internet: `name` has at most 10 letters, `address` is in 203.0.113.0/24. */
  externalHost(name: string, address: string): Promise<ExternalHost>;
  /** Stops everything and removes all processes, mounts, networks and cgroups. May be called twice. */
  stop(): Promise<void>;
}

export type { StartedDaemon } from "./daemon.ts";
export type { ExternalHost } from "./external-host.ts";
export type { NodeOptions } from "./options.ts";
export type { RunOptions, RunResult } from "./run.ts";
export { buildImages, imageNames } from "./images.ts";
export type { BuiltImage, BuiltImages } from "./images.ts";
export { nodeSupport } from "./support.ts";
export type { NodeSupport } from "./support.ts";

/**
 * Starts a node and returns when it is Ready: about 10 s once the daemons are in the cache. First stops a node of the same name, also one
 * of a crashed process. Throws a message of one line if `nodeSupport` reports that no node can run here.
 */
export async function startNode(options: NodeOptions = {}): Promise<RealNode> {
  const layout = layoutOf(options);
  const log = options.log ?? (() => {});
  const support = await nodeSupport();
  if (!support.ok) throw new Error(support.reason);
  await installPrerequisites("node", log);
  const daemons = options.daemons ?? (await prepareDaemons("node", { say: log }));
  const pause = await pauseImageTar();
  await stopNode(layout);
  try {
    return await start(layout, { daemons, pause, log });
  } catch (cause) {
    await stopNode(layout);
    throw cause;
  }
}

/** Stops the node of this name, also if another process started it; does nothing if there is none. */
export function stopNodeNamed(name?: string): Promise<void> {
  return stopNode(layoutOf(defined({ name })));
}

interface Parts {
  daemons: string;
  pause: string;
  log: (line: string) => void;
}

async function start(layout: NodeLayout, { daemons, pause, log }: Parts): Promise<RealNode> {
  mkdirSync(layout.folder, { recursive: true, mode: 0o700 });
  await writePKI(layout);
  const namespaces = await createNamespaces(layout);
  createCgroups(layout.cgroup);
  await createNetwork(layout, namespaces);
  const node = realNode(layout, namespaces);
  log(`node ${layout.name}: starting the control plane and containerd`);
  await Promise.all([
    startControlPlane(layout, namespaces, { daemons, kubectl: tool("kubectl") }),
    startContainerd(layout, namespaces).then(() => node.importImage(pause)),
  ]);
  if (layout.networkPolicy === "enforced") await startEnforcer(layout, namespaces);
  startKubelet(layout, namespaces, daemons);
  startKubeProxy(layout, namespaces, daemons);
  log(`node ${layout.name}: waiting for the kubelet`);
  await nodeReady(layout, node);
  log(`node ${layout.name}: ready`);
  return node;
}

function realNode(layout: NodeLayout, namespaces: Namespaces): RealNode {
  const kubeconfigPath = kubeconfigOf(layout, "admin");
  const kubectlPath = tool("kubectl");
  // At the end of the PATH, so that kubectl and helm of this machine are preferred.
  const tools = new Set([dirname(kubectlPath), dirname(tool("helm"))]);
  const env = { KUBECONFIG: kubeconfigPath, PATH: [process.env["PATH"], ...tools].join(delimiter) };
  const exec: RealNode["exec"] = (argv, options = {}) =>
    tryRun([...namespaces.enterNetwork, ...argv], { ...options, env: { ...process.env, ...env, ...options.env } });
  return {
    name: layout.name,
    folder: layout.folder,
    kubeconfigPath,
    address: layout.address,
    env,
    enter: namespaces.enterNetwork,
    exec,
    start: (name, argv, more) =>
      startDaemon(layout, namespaces, { name, argv, env: { ...env, ...more }, mounts: false }),
    async kubectl(args, options) {
      const result = await exec([kubectlPath, ...args], options);
      if (result.code === 0) return result.stdout;
      throw new Error(`kubectl ${args.join(" ").slice(0, 200)} ended with ${result.code}: ${result.stderr.trim()}`);
    },
    async importImage(tar) {
      if (!existsSync(tar)) throw new Error(`there is no image archive at ${tar}`);
      const ctr = ["ctr", "-a", layout.containerdSocket, "-n", "k8s.io", "images", "import", tar];
      await run(ctr, { timeoutMs: 300_000 });
    },
    externalHost: (name, address) => createExternalHost(layout, namespaces, { name, address }),
    stop: () => stopNode(layout),
  };
}

/** Waits until the Node is Ready and the service account exists that pods need. */
async function nodeReady(layout: NodeLayout, node: RealNode): Promise<void> {
  const condition = `jsonpath={.status.conditions[?(@.type=="Ready")].status}`;
  const ready = async (): Promise<boolean> => {
    const status = await node.exec([tool("kubectl"), "get", "node", layout.name, "-o", condition]);
    if (status.stdout !== "True") return false;
    return (await node.exec([tool("kubectl"), "get", "serviceaccount", "default"])).code === 0;
  };
  const detail = (): string => tailOfFile(`${layout.logs}/kubelet.log`);
  await until(ready, { what: `node ${layout.name} Ready`, timeoutMs: 90_000, everyMs: 200, detail });
}
