import { join } from "node:path";
import type { Place } from "./place.ts";

/** The release that the demo and the e2e tests install. */
export const release = { name: "bellhop", namespace: "bellhop-system", brokerNamespace: "bellhop-broker" };

/** The chart's folder. */
export const chart = join(import.meta.dirname, "..", "..", "charts", "bellhop");

/** Settings of the release. */
export interface ReleaseValues {
  /** Bellhop's image, `repository:tag`. */
  image: string;
  /** The URL at which providers reach the gateway. */
  externalURL: string;
  /** The hosts of GitHub and Slack, which have no public address here, and their certificate authorities (PEM). */
  providers: { host: string; ca: string }[];
  /** Address ranges of the cluster. */
  clusterRanges: string[];
  /** Further values of the chart. */
  more?: object;
}

/** `helm install` of the chart, or of another folder, values on standard input. One replica each, because the node is small. */
export function helmInstall(values: ReleaseValues, folder = chart): { args: string[]; input: string } {
  const at = values.image.lastIndexOf(":");
  const input = {
    image: { repository: values.image.slice(0, at), tag: values.image.slice(at + 1) },
    gateway: { externalURL: values.externalURL, replicas: 1 },
    operator: { replicas: 1 },
    broker: { replicas: 1 },
    allowedPrivateHosts: values.providers.map(({ host }) => host),
    clusterRanges: values.clusterRanges,
    extraCA: { pem: values.providers.map(({ ca }) => ca).join("\n") },
    ...values.more,
  };
  const args = ["install", release.name, folder, "--namespace", release.namespace, "--create-namespace"];
  return { args: [...args, "--wait", "--timeout", "3m", "--values", "-"], input: JSON.stringify(input) };
}

/** The ends of an installation's logs, and its events, for error messages. */
export async function installationLogs(
  kubectl: Place["kubectl"],
  team: string,
  more: string[][] = [],
): Promise<string> {
  const { namespace, brokerNamespace } = release;
  const asked = [
    ["get", "pods", "-A", "-o", "wide"],
    ["logs", "-n", namespace, "deployment/bellhop-gateway", "--tail=20"],
    ["logs", "-n", namespace, "deployment/bellhop-operator", "--tail=40"],
    ["logs", "-n", brokerNamespace, "deployment/bellhop-broker", "--tail=20"],
    ["get", "events", "-n", team, "--sort-by=.lastTimestamp"],
    ...more,
  ];
  const said = asked.map(async (args) => {
    const text = await kubectl(args).catch((error: unknown) => String(error));
    return `--- kubectl ${args.join(" ")}\n${text.trimEnd().slice(-6000)}`;
  });
  return (await Promise.all(said)).join("\n");
}
