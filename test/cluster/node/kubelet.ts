import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kubeconfigOf } from "./control-plane.ts";
import { startDaemon } from "./daemon.ts";
import type { Namespaces } from "./namespaces.ts";
import type { NodeLayout } from "./options.ts";

/** Starts the kubelet, which creates the Node and makes it Ready. */
export function startKubelet(layout: NodeLayout, namespaces: Namespaces, daemons: string): void {
  const folder = join(layout.folder, "kubelet");
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify(kubeletConfiguration(layout), undefined, 1));
  startDaemon(layout, namespaces, {
    name: "kubelet",
    argv: [
      join(daemons, "kubelet"),
      `--config=${config}`,
      `--kubeconfig=${kubeconfigOf(layout, "kubelet")}`,
      `--hostname-override=${layout.name}`,
      `--node-ip=${layout.address}`,
      "--root-dir=/var/lib/kubelet",
      `--cert-dir=${join(folder, "pki")}`,
    ],
  });
}

/** Starts kube-proxy, which implements Services. */
export function startKubeProxy(layout: NodeLayout, namespaces: Namespaces, daemons: string): void {
  const config = join(layout.folder, "kube-proxy.json");
  writeFileSync(config, JSON.stringify(proxyConfiguration(layout), undefined, 1));
  startDaemon(layout, namespaces, { name: "kube-proxy", argv: [join(daemons, "kube-proxy"), `--config=${config}`] });
}

function kubeletConfiguration(layout: NodeLayout): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    failCgroupV1: false,
    failSwapOn: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${layout.cgroup}`,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    containerRuntimeEndpoint: `unix://${layout.containerdSocket}`,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(layout.pki, "ca.crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: join(layout.pki, "kubelet.crt"),
    tlsPrivateKeyFile: join(layout.pki, "kubelet.key"),
    address: layout.address,
    healthzBindAddress: "127.0.0.1",
    resolvConf: "/dev/null",
    // Images are not pulled here, so a removed image could not be restored.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: { "memory.available": "100Mi" },
    // The default interval for checking the size of volumes is one to two minutes, and a pod that fills a volume is evicted only after a
    // check.
    volumeStatsAggPeriod: "5s",
    podCIDR: layout.podCIDR,
    staticPodPath: "",
    // Tests create dozens of pods at once; nothing else uses this API server.
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    maxPods: 110,
  };
}

/** `conntrack`: its settings belong to the whole machine and cannot be written from a namespace. */
function proxyConfiguration(layout: NodeLayout): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: kubeconfigOf(layout, "proxy") },
    mode: "iptables",
    clusterCIDR: layout.podCIDR,
    hostnameOverride: layout.name,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    iptables: { minSyncPeriod: "100ms" },
    bindAddress: layout.address,
  };
}
