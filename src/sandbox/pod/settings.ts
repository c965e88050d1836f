/** Settings of the installation for every sandbox; the other settings come from the profile and the task. */
export interface SandboxSettings {
  backend: "pod" | "process";
  /** Bellhop's own image, which contains the courier. */
  image: string;
  imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  imagePullSecrets: { name: string }[];
  /** Service account of sandbox pods. The broker reviews its pod-bound token; the account needs no rights. */
  serviceAccountName: string;
  broker: {
    /** Host name in the broker's URL and certificate. */
    host: string;
    /** The broker's pods, for the network policy: their namespace, labels and port. */
    namespace: string;
    podLabels: Record<string, string>;
    targetPort: number;
  };
  /** How long publishing may take after the agent has ended, in seconds. */
  publishBudgetSeconds: number;
}

/** Facts that every pod needs and that the operator finds while it leads. */
export interface InstallationFacts {
  /** Certificate of the operator's CA, PEM. */
  caCertificate: string;
  /** Cluster IP of the broker's Service, because a sandbox has no DNS. The process backend does not use it. */
  brokerIP: string;
}

/** All inputs of a pod that are the same for every task. */
export type PodSettings = SandboxSettings & InstallationFacts;
