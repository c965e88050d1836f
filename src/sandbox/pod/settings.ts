/** Settings of the installation for every sandbox; the other settings come from the profile and the task. */
export interface SandboxSettings {
  backend: "pod" | "process";
  /** Bellhop's own image: the courier. */
  image: string;
  imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  imagePullSecrets: { name: string }[];
  /** Service account whose pod-bound token the broker reviews; it needs no rights. */
  serviceAccountName: string;
  broker: {
    /** Host name in the broker's URL, as in its certificate. */
    host: string;
    /** Where its pods are, for the network policy: namespace and labels, and the port they listen on. */
    namespace: string;
    podLabels: Record<string, string>;
    targetPort: number;
  };
  /** How long a publish may take after the agent's end, seconds. */
  publishBudgetSeconds: number;
}

/** Facts that every pod needs and that the operator finds while it leads. */
export interface InstallationFacts {
  /** PEM of the operator's CA. */
  caCertificate: string;
  /** Cluster IP of the broker's Service; there is no DNS in a sandbox. The process backend does not use it. */
  brokerIP: string;
}

/** All inputs of a pod that are the same for every task. */
export type PodSettings = SandboxSettings & InstallationFacts;
