import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Daemon, startDaemon } from "./daemon.ts";
import { daemonsFolder } from "./daemons.ts";
import { kubeconfigText } from "./kubeconfig.ts";
import { type Credentials, createPki, type Pki } from "./pki.ts";
import { freePort } from "./ports.ts";
import { readyWhen } from "./ready.ts";
import { guardFolder } from "./watchdog.ts";

const serviceAccountIssuer = "https://kubernetes.default.svc";

/** Options of a control plane; all have a default. */
export interface ControlPlaneOptions {
  /** Whether etcd waits for the disk. Off by default, because tests need speed; benchmarks turn it on. */
  fsync?: boolean;
  /** Further flags for kube-apiserver. */
  apiServerArgs?: string[];
  /** Folder for its files; a new temporary folder by default. */
  folder?: string;
  /** Folder with etcd and kube-apiserver; by default they are found on the machine, or built. */
  daemons?: string;
  /** Time limit for etcd and for kube-apiserver to become ready; 60,000 by default. */
  readyTimeoutMs?: number;
}

/** An etcd and a kube-apiserver on loopback ports, with RBAC and admission policies; no controllers run. */
export interface ControlPlane {
  /** `https://127.0.0.1:<port>`; the port stays the same after `stopApiServer` and `startApiServer`. */
  readonly url: string;
  /** Its own temporary folder with data, keys, kubeconfigs, `etcd.log` and `kube-apiserver.log`. `stop` removes it. */
  readonly folder: string;
  /** Kubeconfig of a cluster administrator (group `system:masters`). */
  readonly kubeconfigPath: string;
  readonly caFile: string;
  readonly admin: Credentials;
  /** Process ids of the daemons that run now. */
  pids(): number[];
  /**
   * Writes a kubeconfig with a client certificate for `user` in `groups`, and returns its path. By default the user of a service account
   * (`system:serviceaccount:<namespace>:<name>`) has its three groups.
   */
  kubeconfigFor(user: string, groups?: string[]): Promise<string>;
  /** Stops the API server: open connections break, new ones are refused, the data is kept. */
  stopApiServer(): Promise<void>;
  /** Starts it again on the same port and resolves when it is ready. */
  startApiServer(): Promise<void>;
  /** Stops both daemons and removes the folder. Rejects with the end of its log if a daemon had ended before. */
  stop(): Promise<void>;
}

/**
 * Starts a separate control plane in about 5 s, without root. Any number can run at the same time. Its daemons end when this process ends,
 * for whatever reason. Rejects with the end of the log if a daemon does not start.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = options.daemons ?? (await daemonsFolder("control plane"));
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "bellhop-control-plane-")));
  guardFolder(folder);
  await mkdir(join(folder, "pki"));
  const pki = await createPki(join(folder, "pki"));
  const admin = await pki.issue("admin", ["system:masters"]);
  const context = { binaries, folder, pki, admin, options };
  const etcd = await onFreePort((port) => startEtcd(context, port));
  try {
    const apiServer = await onFreePort((port) => startKubeApiServer(context, etcd.port, port));
    return await controlPlane(context, etcd, apiServer);
  } catch (error) {
    await etcd.daemon.stop();
    throw error;
  }
}

/** Path of the administrator's kubeconfig of a control plane in this folder. */
export function adminKubeconfig(folder: string): string {
  return kubeconfigIn(folder, "admin");
}

function kubeconfigIn(folder: string, name: string): string {
  return join(folder, `${name}.kubeconfig`);
}

interface Context {
  binaries: string;
  folder: string;
  pki: Pki;
  admin: Credentials;
  options: ControlPlaneOptions;
}

interface Listening {
  daemon: Daemon;
  port: number;
}

async function controlPlane(context: Context, etcd: Listening, first: Listening): Promise<ControlPlane> {
  const { folder, pki, admin } = context;
  const url = `https://127.0.0.1:${first.port}`;
  let apiServer: Listening | undefined = first;
  let written = 0;

  async function writeKubeconfig(name: string, credentials: Credentials): Promise<string> {
    const path = kubeconfigIn(folder, name);
    await writeFile(path, await kubeconfigText({ url, caFile: pki.caFile, credentials }), { mode: 0o600 });
    return path;
  }
  async function stopApiServer(): Promise<void> {
    await apiServer?.daemon.stop();
    apiServer = undefined;
  }
  return {
    url,
    folder,
    admin,
    caFile: pki.caFile,
    kubeconfigPath: await writeKubeconfig("admin", admin),
    pids: () => [etcd, apiServer].flatMap((at) => (at && at.daemon.ending === undefined ? [at.daemon.pid] : [])),
    kubeconfigFor: async (user, groups = defaultGroups(user)) =>
      writeKubeconfig(`user-${++written}`, await pki.issue(user, groups)),
    stopApiServer,
    async startApiServer() {
      if (apiServer && apiServer.daemon.ending === undefined) return;
      apiServer = await startKubeApiServer(context, etcd.port, first.port);
    },
    async stop() {
      const died = [etcd, apiServer].flatMap((at) => (at ? (describeDeath(at.daemon) ?? []) : []));
      await stopApiServer();
      await etcd.daemon.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      if (died.length > 0) throw new Error(`A daemon of the control plane died on its own. ${died.join("\n")}`);
    },
  };
}

function describeDeath(daemon: Daemon): string | undefined {
  return daemon.ending === undefined ? undefined : `${daemon.ending}. The end of its log:\n${daemon.tail()}`;
}

function defaultGroups(user: string): string[] {
  const [, namespace] = /^system:serviceaccount:([^:]+):[^:]+$/.exec(user) ?? [];
  return namespace ? ["system:serviceaccounts", `system:serviceaccounts:${namespace}`] : [];
}

/** Another process may take the port between our check and the daemon's bind. In that case a new port is tried. */
async function onFreePort(start: (port: number) => Promise<Listening>): Promise<Listening> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = error instanceof Error && error.message.includes("address already in use");
      if (!taken || attempt === 5) throw error;
    }
  }
}

async function startEtcd({ binaries, folder, options }: Context, port: number): Promise<Listening> {
  const url = `http://127.0.0.1:${port}`;
  const daemon = await startDaemon({
    command: join(binaries, "etcd"),
    logFile: join(folder, "etcd.log"),
    args: [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      // A single member: nobody calls its peer port, which the kernel chooses.
      "--listen-peer-urls=http://127.0.0.1:0",
      "--log-level=warn",
      ...(options.fsync ? [] : ["--unsafe-no-fsync"]),
    ],
  });
  await readyWhen(daemon, { url: `${url}/health`, timeoutMs: options.readyTimeoutMs ?? 60_000 });
  return { daemon, port };
}

async function startKubeApiServer(context: Context, etcdPort: number, port: number): Promise<Listening> {
  const { binaries, folder, pki, admin, options } = context;
  const daemon = await startDaemon({
    command: join(binaries, "kube-apiserver"),
    logFile: join(folder, "kube-apiserver.log"),
    args: [
      `--etcd-servers=http://127.0.0.1:${etcdPort}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      // A loopback address is no endpoint of the `kubernetes` Service: nothing reconciles it.
      "--endpoint-reconciler-type=none",
      `--secure-port=${port}`,
      `--cert-dir=${join(folder, "pki")}`,
      `--tls-cert-file=${pki.serverCertificateFile}`,
      `--tls-private-key-file=${pki.serverKeyFile}`,
      `--client-ca-file=${pki.caFile}`,
      `--service-account-issuer=${serviceAccountIssuer}`,
      `--service-account-key-file=${pki.serviceAccountPublicFile}`,
      `--service-account-signing-key-file=${pki.serviceAccountKeyFile}`,
      "--service-cluster-ip-range=10.96.0.0/16",
      "--authorization-mode=RBAC",
      "--allow-privileged=true",
      ...(options.apiServerArgs ?? []),
    ],
  });
  const url = `https://127.0.0.1:${port}/readyz`;
  await readyWhen(daemon, { url, timeoutMs: options.readyTimeoutMs ?? 60_000, caFile: pki.caFile, client: admin });
  return { daemon, port };
}
