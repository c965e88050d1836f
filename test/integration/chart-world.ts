import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { connect } from "../../src/kube/config.ts";
import { namespaces } from "../../src/kube/resources.ts";
import type { KubeClient, KubeConnection, KubeObject, ResourceType } from "../../src/kube/types.ts";
import { startControlPlane } from "../cluster/control-plane.ts";
import { crdsEstablished } from "../cluster/crds.ts";
import { tool } from "../cluster/node/tools.ts";

/** The chart's folder. */
export const chart = join(import.meta.dirname, "..", "..", "charts", "bellhop");

/** The release that the tests install. */
export const release = { name: "bellhop", namespace: "bellhop-system", brokerNamespace: "bellhop-broker" };

/** The users of the processes, as the accounts ConfigMap must name them. */
export const accounts = {
  gateway: `system:serviceaccount:${release.namespace}:bellhop-gateway`,
  operator: `system:serviceaccount:${release.namespace}:bellhop-operator`,
  broker: `system:serviceaccount:${release.brokerNamespace}:bellhop-broker`,
  uninstall: `system:serviceaccount:${release.namespace}:bellhop-uninstall`,
};

/** The values that the README documents as the minimum. */
export const minimum = [
  "image.repository=registry.example.com/bellhop",
  "gateway.externalURL=https://bellhop.example.com",
];

/** Runs helm; throws its message if it fails. */
export function helm(...args: string[]): string {
  return run(args, "");
}

/** The output of `helm template` with these values (`path=value`). */
export function renderChart(...values: string[]): KubeObject[] {
  return template(values);
}

/** The text that helm prints after an installation with these values. */
export function renderNotes(...values: string[]): string {
  const sets = ["image.repository=registry.example.com/bellhop", ...values].flatMap((value) => ["--set", value]);
  const at = ["--namespace", release.namespace, "--dry-run=client"];
  return helm("install", release.name, chart, ...at, ...sets).split("\nNOTES:\n")[1] ?? "";
}

/** The objects of the hook that runs before an uninstall. They are part of a release on a cluster, where helm knows each kind. */
export function renderUninstall(...values: string[]): KubeObject[] {
  const objects = template(values, "--api-versions", "batch/v1/Job");
  return objects.filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] === "pre-delete");
}

function template(values: string[], ...more: string[]): KubeObject[] {
  const sets = ["image.repository=registry.example.com/bellhop", ...values].flatMap((value) => ["--set", value]);
  return templateOf([...sets, ...more], "");
}

/** A file of values; it need not name the image. */
export interface Values {
  image?: object;
  [value: string]: unknown;
}

/** The output of `helm template` with a file of values, and further arguments. */
export function renderValues(values: Values, ...args: string[]): KubeObject[] {
  const image = { repository: "registry.example.com/bellhop", ...values.image };
  return templateOf(["--values", "-", ...args], { ...values, image });
}

function templateOf(args: string[], values: object | ""): KubeObject[] {
  const text = run(["template", release.name, chart, "--namespace", release.namespace, ...args], values);
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as KubeObject | null) ?? []);
}

function run(args: string[], input: object | ""): string {
  const options = { encoding: "utf8", timeout: 60_000, stdio: "pipe" } as const;
  return execFileSync(tool("helm"), args, { ...options, input: input === "" ? "" : JSON.stringify(input) });
}

/** A separate control plane with the chart installed, because its policies would affect other tests. */
export interface ChartWorld {
  admin: KubeConnection;
  kubeconfigPath: string;
  objects: KubeObject[];
  /** A client that acts as this user. */
  as(user: string, groups?: string[]): Promise<KubeConnection>;
  /** Writes a kubeconfig for this user, and returns its path. */
  kubeconfigFor(user: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts it and applies the chart with these values as an administrator, after `prepare` has created the objects that they need. */
export async function aClusterWithChart(
  values: Values = {},
  prepare: (admin: KubeClient) => Promise<void> = async () => {},
): Promise<ChartWorld> {
  const plane = await startControlPlane();
  const clients: KubeConnection[] = [];
  const open = async (kubeconfig: string): Promise<KubeConnection> => {
    const { client } = await connect({ kubeconfig });
    clients.push(client);
    return client;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.close()));
    await plane.stop();
  };
  try {
    const admin = await open(plane.kubeconfigPath);
    await prepare(admin);
    const objects = renderValues(values);
    await admin.create(namespaces, { metadata: { name: release.namespace } });
    await applyAll(admin, objects);
    await crdsEstablished(admin);
    const as = async (user: string, groups?: string[]) => open(await plane.kubeconfigFor(user, groups));
    const kubeconfigFor = (user: string) => plane.kubeconfigFor(user);
    return { admin, kubeconfigPath: plane.kubeconfigPath, objects, as, kubeconfigFor, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Applies objects, namespaces first, bindings last. */
export async function applyAll(client: KubeClient, objects: readonly KubeObject[]): Promise<void> {
  const rank = ({ kind }: KubeObject): number => (kind === "Namespace" ? 0 : kind?.endsWith("Binding") ? 2 : 1);
  for (const object of objects.toSorted((a, b) => rank(a) - rank(b))) {
    await client.apply(typeOf(object), object, { fieldManager: "bellhop-tests" });
  }
}

const clusterWide = new Set([
  "CustomResourceDefinition",
  "Namespace",
  "ClusterRole",
  "ClusterRoleBinding",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
]);

/** The REST resource of a rendered object. */
export function typeOf({ apiVersion = "", kind = "" }: KubeObject): ResourceType<KubeObject> {
  const [version = "", group = ""] = apiVersion.split("/").toReversed();
  const lower = kind.toLowerCase();
  const plural = lower.endsWith("y") ? `${lower.slice(0, -1)}ies` : lower.endsWith("s") ? `${lower}es` : `${lower}s`;
  return { group, version, kind, plural, namespaced: !clusterWide.has(kind) };
}
