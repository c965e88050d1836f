/** A file of values that sets every value of the chart to something other than its default. */

const toleration = { key: "system", operator: "Exists", effect: "NoSchedule" };
const sizes = { requests: { cpu: "250m", memory: "300Mi" }, limits: { cpu: 2, memory: "900Mi" } };

/** The values of one process; `name` is in every value, so that a test sees which process has it. */
function ownOf(name: string) {
  return {
    ...podOf(name),
    replicas: 3,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "50%", maxUnavailable: 1 } },
    podDisruptionBudget: { enabled: true, minAvailable: 1, maxUnavailable: "" },
    serviceAccount: {
      annotations: { "eks.amazonaws.com/role-arn": `arn:aws:iam::123456789012:role/${name}` },
      labels: { "azure.workload.identity/use": "true" },
    },
    deploymentAnnotations: { "reloader.example.com/auto": name },
  };
}

/** The values of one pod of the chart. */
function podOf(name: string) {
  return {
    resources: sizes,
    podLabels: { tier: name },
    podAnnotations: { "logs.example.com/parser": name },
    nodeSelector: { pool: name },
    tolerations: [{ ...toleration, key: name }],
    affinity: {
      nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: zone(name) }] },
    },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "DoNotSchedule" },
    ],
    // These two priority classes exist on every cluster.
    priorityClassName: "system-node-critical",
    podSecurityContext: { runAsUser: 1000680000, fsGroup: 1000680000 },
    securityContext: { readOnlyRootFilesystem: false },
    extraEnv: [{ name: "NODE_EXTRA", value: name }],
    extraVolumes: [{ name: "more", configMap: { name: `${name}-more` } }],
    extraVolumeMounts: [{ name: "more", mountPath: `/etc/${name}`, readOnly: true }],
  };
}

function zone(name: string): object {
  return { matchExpressions: [{ key: "topology.kubernetes.io/zone", operator: "In", values: [`zone-of-${name}`] }] };
}

/** The values of a monitor of the Prometheus Operator. */
function monitorOf(enabled: boolean) {
  return {
    enabled,
    namespace: "default",
    labels: { release: "prometheus" },
    annotations: { "example.com/monitor": "bellhop" },
    interval: "30s",
    scrapeTimeout: "10s",
    relabelings: [{ sourceLabels: ["__meta_kubernetes_pod_node_name"], targetLabel: "node" }],
    metricRelabelings: [{ action: "drop", sourceLabels: ["__name__"], regex: "nodejs_.*" }],
  };
}

export const everything = {
  global: {
    imageRegistry: "mirror.example.com:5000",
    compatibility: { openshift: { adaptSecurityContext: "disabled" } },
  },
  image: {
    repository: "registry.example.com/team/bellhop",
    tag: "1.2.3",
    digest: `sha256:${"a".repeat(64)}`,
    pullPolicy: "Always",
    pullSecrets: ["registry"],
  },
  commonLabels: { team: "platform" },
  commonAnnotations: { "example.com/owner": "platform@example.com" },
  logLevel: "debug",
  nodeSelector: { pool: "system" },
  tolerations: [toleration],
  affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
  topologySpreadConstraints: [{ maxSkew: 2, topologyKey: "example.com/rack", whenUnsatisfiable: "ScheduleAnyway" }],
  priorityClassName: "system-cluster-critical",
  podSecurityContext: {
    runAsNonRoot: true,
    runAsUser: 70000,
    runAsGroup: 70001,
    seccompProfile: { type: "Localhost", localhostProfile: "bellhop.json" },
  },
  securityContext: {
    privileged: false,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
  },
  gateway: {
    ...ownOf("gateway"),
    externalURL: "https://bellhop.example.com",
    service: { type: "NodePort", annotations: { "example.com/service": "gateway" } },
    ingress: {
      enabled: true,
      className: "nginx",
      host: "bellhop.example.com",
      tlsSecret: "tls",
      annotations: { "example.com/ingress": "gateway" },
    },
  },
  operator: { ...ownOf("operator"), workers: 4, taskRetentionDays: 30 },
  installPages: {
    enabled: true,
    externalURL: "https://install.example.com",
    service: { type: "NodePort", annotations: { "example.com/service": "install" } },
  },
  broker: { ...ownOf("broker"), maxPushMiB: 64 },
  metrics: {
    service: { enabled: true, annotations: { "example.com/scrape": "true" } },
    serviceMonitor: monitorOf(true),
    podMonitor: monitorOf(false),
  },
  networkPolicies: {
    enabled: true,
    apiServerPorts: [6443],
    providerPorts: [443, 3128],
    deliveriesFrom: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress-nginx" } } }],
    probesFrom: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }],
  },
  crds: { install: true, keep: false },
  uninstall: { ...podOf("uninstall"), enabled: true },
  allowedPrivateHosts: ["github.example.com", "git.example.com"],
  clusterRanges: ["10.0.0.0/8", "fd00::/8"],
  extraCA: { pem: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", configMap: "" },
  proxies: { https: "http://proxy.example.com:3128", http: "http://proxy.example.com:3129", none: ".example.com" },
  guardrails: {
    images: ["registry.example.com/agents/**"],
    maxCPU: "4",
    maxMemory: "8Gi",
    maxStorage: "20Gi",
  },
  concurrency: { cluster: 10, namespace: 5 },
  sandbox: { backend: "pod", allowNotIsolated: true, serviceAccountName: "sandbox" },
  accounts: { breakGlassGroup: "oncall" },
};
