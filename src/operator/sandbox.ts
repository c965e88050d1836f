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

/** Settings of every sandbox. */
export function sandboxSettings(config: OperatorConfig): SandboxSettings {
  return {
    backend: config.BELLHOP_SANDBOX_BACKEND,
    image: config.BELLHOP_IMAGE,
    imagePullPolicy: config.BELLHOP_IMAGE_PULL_POLICY,
    imagePullSecrets: config.BELLHOP_IMAGE_PULL_SECRETS.map((name) => ({ name })),
    serviceAccountName: config.BELLHOP_SANDBOX_SERVICE_ACCOUNT,
    broker: {
      host: brokerHost(config),
      namespace: config.BELLHOP_BROKER_NAMESPACE,
      podLabels: Object.fromEntries(config.BELLHOP_BROKER_LABELS.map((label) => splitLabel(label))),
      targetPort: config.BELLHOP_BROKER_PORT,
    },
    publishBudgetSeconds: 120,
  };
}

function splitLabel(label: string): [string, string] {
  const [key = "", value = ""] = label.split("=");
  return [key, value];
}
