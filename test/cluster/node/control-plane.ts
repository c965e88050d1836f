import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import type { Namespaces } from "./namespaces.ts";
import type { NodeLayout } from "./options.ts";
import { tryRun } from "./run.ts";

/** Tools for the start: the folder of the daemons, and kubectl. */
export interface ControlPlaneTools {
  daemons: string;
  kubectl: string;
}

/** Starts etcd, the API server, the controller manager and the scheduler; returns when the API server is ready. */
export async function startControlPlane(
  layout: NodeLayout,
  namespaces: Namespaces,
  tools: ControlPlaneTools,
): Promise<void> {
  for (const user of ["admin", "kcm", "scheduler", "kubelet", "proxy"]) writeKubeconfig(layout, user);
  const start = (name: string, args: string[]) =>
    startDaemon(layout, namespaces, { name, argv: [join(tools.daemons, name), ...args] });

  start("etcd", etcdArgs(layout));
  const apiServer = start("kube-apiserver", apiServerArgs(layout));
  await apiServer.ready(() => isReady(layout, namespaces, tools.kubectl), 90_000);
  start("kube-controller-manager", controllerManagerArgs(layout));
  start("kube-scheduler", [...ownAccount(layout, "scheduler"), "--leader-elect=false", "--bind-address=127.0.0.1"]);
}

/** The path of the kubeconfig of one of the node's users. */
export function kubeconfigOf(layout: NodeLayout, user: string): string {
  return join(layout.folder, `${user}.kubeconfig`);
}

async function isReady(layout: NodeLayout, namespaces: Namespaces, kubectl: string): Promise<boolean> {
  const get = [kubectl, `--kubeconfig=${kubeconfigOf(layout, "admin")}`, "get", "--raw", "/readyz"];
  return (await tryRun([...namespaces.enterNetwork, ...get])).code === 0;
}

function etcdArgs(layout: NodeLayout): string[] {
  const client = "http://127.0.0.1:2379";
  const data = join(layout.folder, "etcd");
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return [
    `--data-dir=${data}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    "--listen-peer-urls=http://127.0.0.1:2380",
    "--unsafe-no-fsync", // The data is deleted with the node.
  ];
}

function apiServerArgs(layout: NodeLayout): string[] {
  const file = (name: string): string => join(layout.pki, name);
  return [
    "--etcd-servers=http://127.0.0.1:2379",
    "--bind-address=0.0.0.0",
    `--advertise-address=${layout.address}`,
    `--secure-port=${layout.apiPort}`,
    `--tls-cert-file=${file("apiserver.crt")}`,
    `--tls-private-key-file=${file("apiserver.key")}`,
    `--client-ca-file=${file("ca.crt")}`,
    `--kubelet-client-certificate=${file("apiserver-kubelet.crt")}`,
    `--kubelet-client-key=${file("apiserver-kubelet.key")}`,
    "--kubelet-preferred-address-types=InternalIP", // Otherwise logs and exec would resolve the node's name.
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${file("sa.pub")}`,
    `--service-account-signing-key-file=${file("sa.key")}`,
    `--service-cluster-ip-range=${layout.serviceCIDR}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
  ];
}

function controllerManagerArgs(layout: NodeLayout): string[] {
  return [
    ...ownAccount(layout, "kcm"),
    `--service-account-private-key-file=${join(layout.pki, "sa.key")}`,
    `--root-ca-file=${join(layout.pki, "ca.crt")}`,
    "--use-service-account-credentials",
    "--allocate-node-cidrs",
    `--cluster-cidr=${layout.podCIDR}`,
    "--node-cidr-mask-size=24",
    `--service-cluster-ip-range=${layout.serviceCIDR}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
  ];
}

function ownAccount(layout: NodeLayout, user: string): string[] {
  return [`--kubeconfig=${kubeconfigOf(layout, user)}`];
}

/** The file contains the certificates and keys, so that it works everywhere. */
function writeKubeconfig(layout: NodeLayout, user: string): void {
  const data = (name: string): string => readFileSync(join(layout.pki, name)).toString("base64");
  const cluster = { server: layout.apiURL, "certificate-authority-data": data("ca.crt") };
  const credentials = { "client-certificate-data": data(`${user}.crt`), "client-key-data": data(`${user}.key`) };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: layout.name, cluster }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: layout.name, context: { cluster: layout.name, user } }],
    "current-context": layout.name,
  };
  writeFileSync(kubeconfigOf(layout, user), JSON.stringify(config, undefined, 1), { mode: 0o600 });
}
