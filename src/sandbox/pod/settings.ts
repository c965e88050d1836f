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
    /** Cluster IP of its service; there is no DNS in a sandbox. Absent for the process backend. */
    serviceIP?: string;
    /** Where its pods are, for the network policy: namespace and labels, and the port they listen on. */
    namespace: string;
    podLabels: Record<string, string>;
    targetPort: number;
  };
  /** PEM of the operator's CA. */
  caCertificate: string;
  /** How long a publish may take after the agent's end, seconds. */
  publishBudgetSeconds: number;
}
