import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Pod } from "../../src/kube/resources.ts";
import type { KubeObject } from "../../src/kube/types.ts";
import { everything } from "../integration/chart-everything.ts";
import { chart, release, renderChart, renderValues } from "../integration/chart-world.ts";

const processes = ["gateway", "operator", "broker"] as const;
type Process = (typeof processes)[number];

interface Deployment extends KubeObject {
  spec: {
    replicas: number;
    strategy?: unknown;
    selector: { matchLabels: Record<string, string> };
    template: { metadata: KubeObject["metadata"]; spec: NonNullable<Pod["spec"]> & Record<string, unknown> };
  };
}

const all = renderValues(everything);
const byDefault = renderChart();

function find(objects: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`the chart has no ${kind} ${name}`);
  return found;
}

const deployment = (objects: readonly KubeObject[], process: Process): Deployment =>
  find(objects, "Deployment", `bellhop-${process}`) as Deployment;

describe("the values of the test", () => {
  it("set every value of the chart, and none to its default", () => {
    const defaults = leaves(parse(readFileSync(join(chart, "values.yaml"), "utf8")));
    const given = leaves(everything);
    // These keep their default: security values with only one allowed value, the backend `pod`, and `crds.install`, which renders the CRDs.
    const fixed =
      /[sS]ecurityContext\.|\.enabled$|^extraCA\.configMap$|[dD]isruptionBudget\.maxUnavailable$|^sandbox\.backend$|^crds\.install$/;
    const unset = [...defaults].filter(([path, value]) => {
      const mine = [...given].filter(([other]) => other === path || other.startsWith(`${path}.`));
      const isDefault = mine.length === 1 && JSON.stringify(mine[0]?.[1]) === JSON.stringify(value);
      return mine.length === 0 || (isDefault && !fixed.test(path));
    });
    expect(unset).toEqual([]);
  });
});

/** Each value that is not an object, by its path; empty objects and lists count as values. */
function leaves(value: unknown, path = ""): Map<string, unknown> {
  const isBranch =
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
  if (!isBranch) return new Map([[path, value]]);
  const below = Object.entries(value).map(([key, child]) => leaves(child, path === "" ? key : `${path}.${key}`));
  return new Map(below.flatMap((map) => [...map]));
}

describe("every object of the chart", () => {
  it("has the common labels and annotations, beside its own", () => {
    for (const { kind, metadata } of all) {
      const what = `${kind} ${metadata.name}`;
      expect(metadata.labels, what).toMatchObject({ team: "platform", "app.kubernetes.io/part-of": "bellhop" });
      expect(metadata.annotations, what).toMatchObject({ "example.com/owner": "platform@example.com" });
    }
    expect(find(all, "Ingress", "bellhop-gateway").metadata.annotations).toHaveProperty(
      "example.com/ingress",
      "gateway",
    );
    expect(find(all, "Service", "bellhop-gateway").metadata.annotations).toHaveProperty(
      "example.com/service",
      "gateway",
    );
    expect(find(all, "Namespace", release.brokerNamespace).metadata.labels).toHaveProperty(
      "pod-security.kubernetes.io/enforce",
      "restricted",
    );
  });

  it("has no common annotation in a pod template, because a change would restart everything", () => {
    for (const process of processes) {
      const { labels, annotations } = deployment(all, process).spec.template.metadata;
      expect(labels).toHaveProperty("team", "platform");
      expect(annotations).not.toHaveProperty("example.com/owner");
    }
  });
});

describe("the pod of the clean-up before an uninstall", () => {
  it("has its own labels, annotations, placement and extras, and the common security contexts", () => {
    const rendered = renderValues(everything, "--api-versions", "batch/v1/Job");
    const { metadata, spec: pod } = (find(rendered, "Job", "bellhop-uninstall") as Deployment).spec.template;
    expect(metadata.labels).toMatchObject({ tier: "uninstall", team: "platform" });
    expect(metadata.annotations).toMatchObject({
      "logs.example.com/parser": "uninstall",
      "sidecar.istio.io/inject": "false",
    });
    expect(pod).toMatchObject({
      nodeSelector: { pool: "uninstall" },
      tolerations: [{ key: "uninstall", operator: "Exists", effect: "NoSchedule" }],
      affinity: everything.uninstall.affinity,
      securityContext: { runAsNonRoot: true, runAsUser: 1000680000 },
      imagePullSecrets: [{ name: "registry" }],
    });
    expect(pod.containers[0]).toMatchObject({
      image: expect.stringContaining("mirror.example.com:5000/"),
      resources: everything.uninstall.resources,
      env: expect.arrayContaining([{ name: "NODE_EXTRA", value: "uninstall" }]),
      volumeMounts: expect.arrayContaining([{ name: "more", mountPath: "/etc/uninstall", readOnly: true }]),
    });
  });
});

describe.each(processes)("the pods of the %s", (process) => {
  const { metadata, spec } = deployment(all, process);
  const pod = spec.template.spec;
  const container = pod.containers[0]!;

  it("have their own labels, annotations and placement if both are set", () => {
    expect(metadata.annotations).toHaveProperty("reloader.example.com/auto", process);
    expect(spec.template.metadata.labels).toMatchObject({ tier: process, ...spec.selector.matchLabels });
    expect(spec.template.metadata.annotations).toMatchObject({ "logs.example.com/parser": process });
    expect(pod).toMatchObject({
      nodeSelector: { pool: process },
      tolerations: [{ key: process, operator: "Exists", effect: "NoSchedule" }],
      affinity: everything[process].affinity,
      priorityClassName: "system-node-critical",
      topologySpreadConstraints: [
        { topologyKey: "topology.kubernetes.io/zone", labelSelector: { matchLabels: spec.selector.matchLabels } },
      ],
    });
    expect(pod["affinity"]).not.toHaveProperty("podAntiAffinity");
  });

  it("have the common placement if they have none of their own", () => {
    const { nodeSelector, tolerations, affinity, topologySpreadConstraints, priorityClassName } = everything;
    const shared = { nodeSelector, tolerations, affinity, topologySpreadConstraints, priorityClassName };
    const [constraint] = topologySpreadConstraints;
    expect(deployment(renderValues(shared), process).spec.template.spec).toMatchObject({
      ...shared,
      topologySpreadConstraints: [{ ...constraint, labelSelector: { matchLabels: spec.selector.matchLabels } }],
    });
  });

  it("keep the selector of a constraint that has one", () => {
    const labelSelector = { matchLabels: { tier: "all" } };
    const constraint = { ...everything.topologySpreadConstraints[0], labelSelector };
    const rendered = deployment(renderValues({ [process]: { topologySpreadConstraints: [constraint] } }), process);
    expect(rendered.spec.template.spec["topologySpreadConstraints"]).toEqual([constraint]);
  });

  it("have the common security contexts, overridden by their own", () => {
    expect(pod.securityContext).toEqual({
      ...everything.podSecurityContext,
      runAsUser: 1000680000,
      fsGroup: 1000680000,
    });
    expect(container.securityContext).toEqual({ ...everything.securityContext, readOnlyRootFilesystem: false });
  });

  it("do not set user and groups if OpenShift chooses them", () => {
    const security = ({ global = {}, args = [] as string[] }) =>
      deployment(renderValues({ global, [process]: { podSecurityContext: { fsGroup: 7 } } }, ...args), process).spec
        .template.spec.securityContext;
    const openshift = ["--api-versions", "security.openshift.io/v1"];
    const free = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
    const adapt = (adaptSecurityContext: string) => ({ compatibility: { openshift: { adaptSecurityContext } } });
    expect(security({ args: openshift })).toEqual(free);
    expect(security({ global: adapt("force") })).toEqual(free);
    expect(security({ global: adapt("disabled"), args: openshift })).toMatchObject({ runAsUser: 65532, fsGroup: 7 });
    expect(security({})).toMatchObject({ runAsUser: 65532, runAsGroup: 65532, fsGroup: 7 });
  });

  it("have further variables and volumes beside their own, and the resources", () => {
    expect(container.env?.at(-1)).toEqual({ name: "NODE_EXTRA", value: process });
    expect(container.env?.map(({ name }) => name)).toContain("BELLHOP_NAMESPACE");
    expect(pod.volumes?.map(({ name }) => name)).toEqual(["extra-ca", "more"]);
    expect(container.volumeMounts?.at(-1)).toEqual({ name: "more", mountPath: `/etc/${process}`, readOnly: true });
    expect(container.resources).toEqual(everything[process].resources);
    expect(spec).toMatchObject({ replicas: 3, strategy: everything[process].strategy });
  });

  it("have an image from the registry that replaces the repository's", () => {
    expect(container.image).toBe(`mirror.example.com:5000/team/bellhop@sha256:${"a".repeat(64)}`);
    expect(container.imagePullPolicy).toBe("Always");
    expect(pod["imagePullSecrets"]).toEqual([{ name: "registry" }]);
  });

  it("run under the account in the policies, with annotations and labels of a workload identity", () => {
    const account = find(all, "ServiceAccount", `bellhop-${process}`);
    expect(pod.serviceAccountName).toBe(account.metadata.name);
    expect(account.metadata).toMatchObject({
      namespace: metadata.namespace,
      annotations: { "eks.amazonaws.com/role-arn": expect.stringContaining(process) as string },
      labels: { "azure.workload.identity/use": "true" },
    });
  });

  it("are disrupted one at a time by default", () => {
    const budget = (objects: readonly KubeObject[]) => find(objects, "PodDisruptionBudget", `bellhop-${process}`);
    const selector = { matchLabels: spec.selector.matchLabels };
    expect(budget(byDefault)).toMatchObject({ spec: { maxUnavailable: 1, selector } });
    expect(budget(all)).toHaveProperty("spec", { minAvailable: 1, selector });
    const half = renderValues({ [process]: { podDisruptionBudget: { maxUnavailable: "50%" } } });
    expect(budget(half)).toHaveProperty("spec", { maxUnavailable: "50%", selector });
    const none = renderValues({ [process]: { podDisruptionBudget: { enabled: false } } });
    expect(() => budget(none)).toThrow(/no PodDisruptionBudget/);
  });
});

describe("a registry for all images", () => {
  it.each([
    ["registry.example.com/team/bellhop", "mirror.example.com/team/bellhop:0.1.0"],
    ["localhost:5000/bellhop", "mirror.example.com/bellhop:0.1.0"],
    ["team/bellhop", "mirror.example.com/team/bellhop:0.1.0"],
    ["bellhop", "mirror.example.com/bellhop:0.1.0"],
  ])("makes %s to %s, for couriers too", (repository, image) => {
    const objects = renderValues({ image: { repository }, global: { imageRegistry: "mirror.example.com" } });
    const [operator] = deployment(objects, "operator").spec.template.spec.containers;
    expect(operator?.image).toBe(image);
    expect(operator?.env).toContainEqual({ name: "BELLHOP_IMAGE", value: image });
  });
});

describe("metrics", () => {
  const isMetrics = ({ kind, metadata }: KubeObject): boolean =>
    kind?.endsWith("Monitor") === true || metadata.name.endsWith("-metrics");
  const selector = { "app.kubernetes.io/name": "bellhop", "app.kubernetes.io/instance": "bellhop" };
  const endpoint = { port: "probes", path: "/metrics" };
  const targets = { matchNames: [release.namespace, release.brokerNamespace] };

  it("are behind no Service and no monitor by default", () => {
    expect(byDefault.filter(isMetrics)).toEqual([]);
  });

  it("have a Service inside the cluster for each process, whatever the type of the gateway's Service", () => {
    const objects = renderValues({
      metrics: { service: { enabled: true } },
      gateway: { service: { type: "LoadBalancer" } },
    });
    expect(objects.filter(({ kind }) => kind?.endsWith("Monitor"))).toEqual([]);
    for (const process of processes) {
      const { metadata, spec } = deployment(objects, process);
      const [container] = spec.template.spec.containers;
      expect(find(objects, "Service", `bellhop-${process}-metrics`)).toMatchObject({
        metadata: { namespace: metadata.namespace, labels: spec.selector.matchLabels },
        spec: {
          type: "ClusterIP",
          selector: spec.selector.matchLabels,
          ports: [{ name: "probes", port: 8081, targetPort: "probes" }],
        },
      });
      expect(container).toHaveProperty("ports", expect.arrayContaining([{ name: "probes", containerPort: 8081 }]));
    }
    const annotated = find(all, "Service", "bellhop-broker-metrics");
    expect(annotated.metadata.annotations).toHaveProperty("example.com/scrape", "true");
  });

  it("have a ServiceMonitor, which enables the Services and selects only these", () => {
    const objects = renderValues({ metrics: { serviceMonitor: { enabled: true } } });
    const labels = { ...selector, "bellhop.dev/metrics": "true" };
    expect(find(objects, "ServiceMonitor", "bellhop")).toMatchObject({
      metadata: { namespace: release.namespace },
      spec: { namespaceSelector: targets, selector: { matchLabels: labels }, endpoints: [endpoint] },
    });
    const selected = objects.filter(
      ({ kind, metadata }) => kind === "Service" && metadata.labels?.["bellhop.dev/metrics"] === "true",
    );
    expect(selected.map(({ metadata }) => metadata.name)).toEqual(
      expect.arrayContaining(processes.map((process) => `bellhop-${process}-metrics`)),
    );
    expect(selected).toHaveLength(processes.length);
  });

  it("have a PodMonitor that selects the pods, without a Service", () => {
    const objects = renderValues({ metrics: { podMonitor: { enabled: true } } });
    expect(objects.filter(isMetrics)).toMatchObject([
      {
        kind: "PodMonitor",
        spec: { namespaceSelector: targets, selector: { matchLabels: selector }, podMetricsEndpoints: [endpoint] },
      },
    ]);
    for (const process of processes)
      expect(deployment(objects, process).spec.template.metadata.labels).toMatchObject(selector);
  });

  it.each(["serviceMonitor", "podMonitor"])("are scraped by the %s's settings", (kind) => {
    const { namespace, labels, annotations, ...scrape } = everything.metrics.serviceMonitor;
    const objects = renderValues({ metrics: { [kind]: everything.metrics.serviceMonitor } });
    const monitor = objects.find((object) => object.kind?.toLowerCase() === kind.toLowerCase());
    expect(monitor?.metadata).toMatchObject({ namespace, labels, annotations });
    const { spec } = monitor as typeof monitor & { spec: { endpoints?: object[]; podMetricsEndpoints?: object[] } };
    const { enabled: _, ...settings } = scrape;
    expect(spec.endpoints ?? spec.podMetricsEndpoints).toEqual([{ ...endpoint, ...settings }]);
  });
});

describe("a rollout", () => {
  const pods = (pem: string): Record<Process, string> => {
    const objects = renderValues({ extraCA: { pem } });
    return Object.fromEntries(
      processes.map((process) => [process, JSON.stringify(deployment(objects, process).spec.template)]),
    ) as Record<Process, string>;
  };
  const certificate = (name: string): string => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;

  it("follows a changed certificate authority", () => {
    const [before, after] = [pods(certificate("AAAA")), pods(certificate("BBBB"))];
    expect(after.operator).not.toBe(before.operator);
    expect(after.broker).not.toBe(before.broker);
    expect(after.gateway).not.toBe(before.gateway);
    expect(pods(certificate("AAAA"))).toEqual(before);
  });

  it("does not let annotations of the values add a mesh to the broker", () => {
    const podAnnotations = { "sidecar.istio.io/inject": "true" };
    const { annotations } = deployment(renderValues({ broker: { podAnnotations } }), "broker").spec.template.metadata;
    expect(annotations).toMatchObject({ "sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled" });
  });
});
