import type { Installation } from "../controllers/installation/index.ts";
import type { SandboxSettings } from "../sandbox/pod/settings.ts";
import type { OperatorConfig } from "./config.ts";

/** Host name of the broker's Service, as in its certificate and its URL. */
export function brokerHost(config: OperatorConfig): string {
  return `${config.BELLHOP_BROKER_SERVICE}.${config.BELLHOP_BROKER_NAMESPACE}.svc`;
}

/** The broker's URL as sandboxes use it. */
export function brokerURL(config: OperatorConfig): string {
  return config.BELLHOP_BROKER_URL ?? `https://${brokerHost(config)}:${config.BELLHOP_BROKER_PORT}`;
}

/** Names in the broker's certificate. */
export function brokerHosts(config: OperatorConfig): string[] {
  const override = config.BELLHOP_BROKER_URL === undefined ? [] : [new URL(config.BELLHOP_BROKER_URL).hostname];
  return [...override, brokerHost(config)];
}

/** Settings of every sandbox. The CA and the broker's address are known once the operator leads. */
export function sandboxSettings(config: OperatorConfig, installation: Installation): SandboxSettings {
  return {
    backend: config.BELLHOP_SANDBOX_BACKEND,
    image: config.BELLHOP_IMAGE,
    imagePullPolicy: config.BELLHOP_IMAGE_PULL_POLICY,
    imagePullSecrets: config.BELLHOP_IMAGE_PULL_SECRETS.map((name) => ({ name })),
    serviceAccountName: config.BELLHOP_SANDBOX_SERVICE_ACCOUNT,
    broker: {
      host: brokerHost(config),
      get serviceIP() {
        return installation.brokerIP;
      },
      namespace: config.BELLHOP_BROKER_NAMESPACE,
      podLabels: Object.fromEntries(config.BELLHOP_BROKER_LABELS.map((label) => splitLabel(label))),
      targetPort: config.BELLHOP_BROKER_PORT,
    },
    get caCertificate() {
      return installation.caCertificate;
    },
    publishBudgetSeconds: 120,
  };
}

function splitLabel(label: string): [string, string] {
  const [key = "", value = ""] = label.split("=");
  return [key, value];
}
