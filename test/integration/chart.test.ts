import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gatewayConfig } from "../../src/gateway/config.ts";
import { brokerConfig } from "../../src/broker/config.ts";
import { installBaseURL, readConfig } from "../../src/operator/config.ts";
import type { Pod, Service } from "../../src/kube/resources.ts";
import type { KubeObject } from "../../src/kube/types.ts";
import { everything } from "./chart-everything.ts";
import { installPrometheusCrds } from "./prometheus-crds.ts";
import {
  aClusterWithChart,
  chart,
  type ChartWorld,
  helm,
  minimum,
  release,
  renderChart,
  renderNotes,
  renderValues,
  typeOf,
} from "./chart-world.ts";

const manager = { fieldManager: "bellhop-tests" };

interface Deployment extends KubeObject {
  spec: {
    replicas: number;
    template: { metadata: { labels: Record<string, string> }; spec: NonNullable<Pod["spec"]> };
  };
}

interface Ingress extends KubeObject {
  spec: { rules: { http: { paths: { path: string; backend: { service: { name: string } } }[] } }[] };
}

interface Monitor extends KubeObject {
  spec: object;
}

function deployment(objects: readonly KubeObject[], component: string): Deployment {
  const found = objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === `bellhop-${component}`);
  if (!found) throw new Error(`the chart has no Deployment bellhop-${component}`);
  return found as Deployment;
}

/** The environment of a process as the kubelet would make it. */
function environment(objects: readonly KubeObject[], component: string): Record<string, string> {
  const { metadata, spec } = deployment(objects, component);
  const fields: Record<string, string> = {
    "metadata.namespace": metadata.namespace ?? "",
    "metadata.name": "pod-1",
  };
  const env = spec.template.spec.containers[0]?.env ?? [];
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => [name, value ?? fields[valueFrom?.fieldRef?.fieldPath ?? ""] ?? ""]),
  );
}

describe("the chart", () => {
  it("refuses to put the release into the broker's own namespace", () => {
    const args = [
      release.name,
      chart,
      "-n",
      release.brokerNamespace,
      "--set",
      "image.repository=registry.example.com/b",
    ];
    expect(() => helm("template", ...args)).toThrow(/broker's own namespace/);
  });

  it.each([
    ["defaults", {}],
    ["every value set", everything],
  ])("gives each process an environment that it accepts, with %s", (_name, values) => {
    const objects = renderValues(values);
    expect(gatewayConfig.strict().parse(known(environment(objects, "gateway")))).toBeDefined();
    expect(brokerConfig.strict().parse(known(environment(objects, "broker")))).toBeDefined();
    expect(readConfig(environment(objects, "operator"))).toMatchObject({ BELLHOP_NAMESPACE: release.namespace });
  });

  it("passes each value to its process", () => {
    const objects = renderValues(everything);
    const provider = {
      BELLHOP_ALLOWED_HOSTS: ["github.example.com", "git.example.com"],
      BELLHOP_REFUSED_RANGES: ["10.0.0.0/8", "fd00::/8"],
      BELLHOP_CA_FILE: "/etc/bellhop/extra-ca/ca.crt",
      HTTPS_PROXY: "http://proxy.example.com:3128",
    };
    expect(brokerConfig.parse(environment(objects, "broker"))).toMatchObject(provider);
    expect(gatewayConfig.parse(environment(objects, "gateway"))).toMatchObject(provider);
    expect(readConfig(environment(objects, "operator"))).toMatchObject({
      ...provider,
      BELLHOP_EXTERNAL_URL: "https://bellhop.example.com",
      BELLHOP_IMAGE: `mirror.example.com:5000/team/bellhop@${everything.image.digest}`,
      BELLHOP_IMAGE_PULL_SECRETS: ["registry"],
      BELLHOP_GUARDRAIL_IMAGES: ["registry.example.com/agents/**"],
      BELLHOP_GUARDRAIL_MAX_CPU: "4",
      BELLHOP_GUARDRAIL_MAX_MEMORY: "8Gi",
      BELLHOP_GUARDRAIL_MAX_STORAGE: "20Gi",
      BELLHOP_BROKER_NAMESPACE: release.brokerNamespace,
    });
  });

  it("passes the labels of the broker's pods to the operator, for the sandboxes' network policy", () => {
    const objects = renderChart();
    const { BELLHOP_BROKER_LABELS: passed = "" } = environment(objects, "operator");
    const labels = Object.fromEntries(passed.split(",").map((pair) => pair.split("=")));
    expect(deployment(objects, "broker").spec.template.metadata.labels).toMatchObject(labels as object);
  });

  it("warns after the installation about an ingress without TLS, and says what to do", () => {
    const ingress = ["gateway.ingress.enabled=true", "gateway.ingress.host=bellhop.example.com"];
    const warning =
      /^The gateway's ingress has no TLS.*: set gateway\.ingress\.tlsSecret to .* in namespace bellhop-system, unless .*bellhop\.example\.com/m;
    expect(renderNotes(...ingress)).toMatch(warning);
    expect(renderNotes(...ingress, "gateway.ingress.tlsSecret=bellhop-tls")).not.toContain("TLS");
    expect(renderNotes(...minimum)).not.toContain("TLS");
  });

  it("exposes neither probes nor metrics through a Service", () => {
    const services = renderChart("gateway.service.type=LoadBalancer").filter(({ kind }) => kind === "Service");
    const ports = services.flatMap((service) => (service as typeof service & { spec: { ports: object[] } }).spec.ports);
    expect(ports).toEqual([
      { name: "https", port: 8443, targetPort: "https" },
      { name: "http", port: 80, targetPort: "http" },
    ]);
  });

  it("makes the operator reachable from outside only if its install pages are enabled", () => {
    const ingress = ["gateway.ingress.enabled=true", "gateway.ingress.host=bellhop.example.com"];
    const outside = (...values: string[]) => {
      const objects = renderChart(...ingress, ...values);
      const [container] = deployment(objects, "operator").spec.template.spec.containers;
      const service: Service | undefined = objects.find(({ metadata }) => metadata.name === "bellhop-install");
      const route = objects.find(({ kind }) => kind === "Ingress") as Ingress | undefined;
      const paths = route?.spec.rules[0]?.http.paths.map(({ path, backend }) => [path, backend.service.name]);
      return { ports: container?.ports?.map(({ name }) => name), service, paths };
    };
    expect(outside()).toEqual({ ports: ["probes"], service: undefined, paths: [["/", "bellhop-gateway"]] });
    const { ports, service, paths } = outside("installPages.enabled=true");
    expect(ports).toEqual(["probes", "install"]);
    expect(service?.spec?.ports).toEqual([{ name: "http", port: 80, targetPort: "install" }]);
    const { labels } = deployment(renderChart(), "operator").spec.template.metadata;
    expect(labels).toMatchObject(service?.spec?.selector ?? { none: "" });
    // The longer path is first, for ingress controllers that take the first.
    expect(paths).toEqual([
      ["/install", "bellhop-install"],
      ["/", "bellhop-gateway"],
    ]);
  });

  it.each([
    ["the gateway's", [], "https://bellhop.example.com"],
    ["their own", ["installPages.externalURL=https://install.example.com"], "https://install.example.com"],
  ])("gives the install pages %s URL", (_whose, values, url) => {
    const base = ["gateway.externalURL=https://bellhop.example.com", ...values];
    const config = (...more: string[]) => readConfig(environment(renderChart(...base, ...more), "operator"));
    expect(installBaseURL(config("installPages.enabled=true"))).toBe(url);
    expect(installBaseURL(config())).toBeUndefined();
  });
});

describe("the chart on a real API server", () => {
  let world: ChartWorld;
  beforeAll(async () => {
    world = await aClusterWithChart(everything, installPrometheusCrds);
  });
  afterAll(() => world?.stop());

  it("is accepted completely, and applied a second time without a change", async () => {
    expect(world.objects.length).toBeGreaterThan(30);
    for (const object of world.objects) {
      const before = await world.admin.get(typeOf(object), object.metadata);
      const after = await world.admin.apply(typeOf(object), object, manager);
      expect(after.metadata).toMatchObject({
        name: object.metadata.name,
        resourceVersion: before.metadata.resourceVersion,
      });
    }
  });

  it.each(["serviceMonitor", "podMonitor"])("has a %s of which the server keeps all fields", async (kind) => {
    const objects = renderValues({ metrics: { [kind]: everything.metrics.serviceMonitor } });
    const monitor = objects.find((object) => object.kind?.toLowerCase() === kind.toLowerCase()) as Monitor;
    const kept = await world.admin.apply(typeOf(monitor), monitor, { ...manager, dryRun: true });
    expect(kept).toHaveProperty("spec", monitor.spec);
  });

  it.each(
    ["gateway", "operator", "broker"].flatMap((component) => [
      { component, values: "defaults", rendered: () => renderChart() },
      { component, values: "every value set", rendered: () => world.objects },
    ]),
  )("runs $component pods that Pod Security `restricted` admits, with $values", async ({ component, rendered }) => {
    const { template } = deployment(rendered(), component).spec;
    // The broker's namespace enforces `restricted`, so the test checks all pods there.
    const at = { name: `bellhop-${component}`, namespace: release.brokerNamespace };
    await world.admin.apply(
      typeOf({ apiVersion: "v1", kind: "ServiceAccount", metadata: at }),
      { metadata: at },
      manager,
    );
    const pod = { metadata: at, spec: template.spec };
    const pods = typeOf({ apiVersion: "v1", kind: "Pod", metadata: at });
    await expect(world.admin.create(pods, pod, { dryRun: true })).resolves.toBeDefined();
    const security = { runAsNonRoot: true, readOnlyRootFilesystem: false, allowPrivilegeEscalation: true };
    const [container] = template.spec.containers;
    const open = { ...pod, spec: { ...template.spec, containers: [{ ...container, securityContext: security }] } };
    await expect(world.admin.create(pods, open as never, { dryRun: true })).rejects.toThrow(/PodSecurity/);
  });
});

/** The variables that the configuration reads: LOG_LEVEL belongs to the logger, NODE_EXTRA is an extra variable of the values. */
function known({ LOG_LEVEL, ...env }: Record<string, string>): Record<string, string> {
  delete env["NODE_EXTRA"];
  expect(LOG_LEVEL).toMatch(/^(debug|info|warn|error)$/);
  return env;
}
