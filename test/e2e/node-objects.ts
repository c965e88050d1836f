import { pauseImage } from "../cluster/node/containerd.ts";

/** Options of a pod for these tests; it passes the restricted standard. */
export interface PodOptions {
  command: string[];
  /** Command of a native sidecar. */
  sidecar?: string[];
  labels?: Record<string, string>;
  env?: object[];
  volumes?: object[];
  mounts?: object[];
  securityContext?: object;
}

/** Builds a busybox command line. The pause image contains busybox, so the tests need no other image. */
export function busybox(...args: string[]): string[] {
  return ["/bin/busybox", ...args];
}

/** A pod with a container `main`, and `/tmp` to write to. */
export function aPod(name: string, options: PodOptions): object {
  const security = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
    ...options.securityContext,
  };
  const common = { image: pauseImage, imagePullPolicy: "Never", securityContext: security };
  const volumeMounts = [{ name: "tmp", mountPath: "/tmp" }, ...(options.mounts ?? [])];
  const sidecar = { name: "sidecar", ...common, restartPolicy: "Always", command: options.sidecar };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: options.labels ?? {} },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        fsGroup: 1000,
        seccompProfile: { type: "RuntimeDefault" },
      },
      initContainers: options.sidecar ? [sidecar] : [],
      containers: [{ name: "main", ...common, command: options.command, env: options.env ?? [], volumeMounts }],
      volumes: [{ name: "tmp", emptyDir: {} }, ...(options.volumes ?? [])],
    },
  };
}

/** A NetworkPolicy. */
export function aPolicy(name: string, spec: object): object {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec };
}
