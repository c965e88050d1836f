import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../../src/kube/config.ts";
import { namespaces } from "../../../src/kube/resources.ts";
import type { KubeConnection } from "../../../src/kube/types.ts";
import { startControlPlane } from "../../cluster/control-plane.ts";
import { installCrds } from "../../cluster/crds.ts";
import { type Daemon, startDaemon } from "../../cluster/daemon.ts";
import { eventually } from "../../cluster/eventually.ts";
import { tool } from "../../cluster/node/tools.ts";
import { freePort } from "../../cluster/ports.ts";
import type { ProcessName } from "../../integration/process-containers.ts";
import { containerCommand } from "./container.ts";

const checkout = join(import.meta.dirname, "..", "..", "..");
const preload = join(import.meta.dirname, "service-account.mjs");

/** A running process of ours, started with the command of the image. */
export interface Measured {
  pid: number;
  stop(): Promise<void>;
}

/** An API server, and a function that starts processes which connect to it as in a pod. */
export interface World {
  client: KubeConnection;
  kubeconfigPath: string;
  folder: string;
  /** Starts a process, and resolves when it is ready. */
  start(name: ProcessName, env: Record<string, string>): Promise<Measured>;
  stop(): Promise<void>;
}

/** Compiles the checkout and starts an API server with our resources. */
export async function aWorld(names: readonly string[]): Promise<World> {
  execFileSync("npm", ["run", "-s", "build"], { cwd: checkout, stdio: "pipe" });
  const folder = mkdtempSync(join(tmpdir(), "bellhop-memory-"));
  const plane = await startControlPlane();
  const { client } = await connect({ kubeconfig: plane.kubeconfigPath });
  await installCrds(client);
  for (const name of names) await client.create(namespaces, { metadata: { name } });
  const [namespace = "default"] = names;
  const account = join(folder, "account");
  mkdirSync(account);
  writeFileSync(join(account, "token"), token(plane.kubeconfigPath, namespace));
  writeFileSync(join(account, "namespace"), namespace);
  writeFileSync(join(account, "ca.crt"), readFileSync(plane.caFile));
  const { hostname, port } = new URL(plane.url);
  const inCluster = {
    PATH: process.env["PATH"] ?? "",
    NODE_ENV: "production",
    NODE_OPTIONS: `--import=${preload}`,
    SERVICE_ACCOUNT_FOLDER: account,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
  };
  return {
    client,
    folder,
    kubeconfigPath: plane.kubeconfigPath,
    start: (name, env) => start(name, folder, { ...inCluster, ...env }),
    async stop() {
      await client.close();
      await plane.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Creates a token with all rights, because this benchmark does not test rights. */
function token(kubeconfig: string, namespace: string): string {
  const kubectl = (...args: string[]): string =>
    execFileSync(tool("kubectl"), [`--kubeconfig=${kubeconfig}`, ...args], { encoding: "utf8" });
  const account = "measured";
  kubectl("create", "serviceaccount", account, "-n", namespace);
  kubectl(
    "create",
    "clusterrolebinding",
    account,
    "--clusterrole=cluster-admin",
    `--serviceaccount=${namespace}:${account}`,
  );
  return kubectl("create", "token", account, "-n", namespace, "--duration=8h").trim();
}

async function start(name: ProcessName, folder: string, env: Record<string, string>): Promise<Measured> {
  const probePort = await freePort();
  const { command, args, remove } = containerCommand(name);
  const daemon = await startDaemon({
    command,
    args,
    logFile: join(folder, `${name}.log`),
    env: { ...env, BELLHOP_HOST: "127.0.0.1", BELLHOP_PROBE_PORT: String(probePort) },
  });
  const stop = async (): Promise<void> => {
    await daemon.stop(30_000);
    remove();
  };
  try {
    await readiness(daemon, `http://127.0.0.1:${probePort}/readyz`);
    return { pid: daemon.pid, stop };
  } catch (error) {
    await stop();
    throw new Error(`the ${name} did not get ready:\n${daemon.tail()}`, { cause: error });
  }
}

async function readiness(daemon: Daemon, url: string): Promise<void> {
  const ready = async (): Promise<boolean> => daemon.ending !== undefined || (await fetch(url)).ok;
  await eventually(ready, { describe: `${url} to answer 200`, timeoutMs: 60_000 });
  if (daemon.ending !== undefined) throw new Error(daemon.ending);
}
