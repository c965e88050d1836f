import type { V1NetworkPolicy, V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { sandboxLabels } from "../../src/sandbox/pod/names.ts";
import type { KubeObject } from "../../src/kube/types.ts";
import { decide, type AllowRule, type PodRules } from "../cluster/node/network-policy/decide.ts";
import { release, renderValues, type Values } from "../integration/chart-world.ts";

/** The pods of the tests, by name: namespace, labels and address. `github` and `api-server` are outside. */
const pods = {
  ...Object.fromEntries(
    (["gateway", "operator", "broker", "uninstall"] as const).map((component, at) => [
      component,
      {
        namespace: component === "broker" ? release.brokerNamespace : release.namespace,
        labels: { "app.kubernetes.io/name": "bellhop", "app.kubernetes.io/component": component },
        address: `10.0.1.${at + 1}`,
      },
    ]),
  ),
  sandbox: { namespace: "team", labels: sandboxLabels("task", 1), address: "10.0.0.4" },
  stranger: { namespace: "team", labels: { app: "stranger" }, address: "10.0.0.5" },
  ingress: { namespace: "ingress-nginx", labels: { app: "nginx" }, address: "10.0.0.6" },
  prometheus: { namespace: "monitoring", labels: { app: "prometheus" }, address: "10.0.0.7" },
  dns: { namespace: "kube-system", labels: { "k8s-app": "kube-dns" }, address: "10.0.0.8" },
};
const outside = { github: "203.0.113.10", "api-server": "198.51.100.1" };
const addressOf = (name: string): string =>
  ({ ...Object.fromEntries(Object.entries(pods).map(([pod, { address }]) => [pod, address])), ...outside })[name] ?? "";

/** The objects as on a cluster, where the clean-up before an uninstall is part of the release. */
const onCluster = ["--api-versions", "batch/v1/Job"];

/** Returns whether `from` can reach `to` at a port, according to the chart's policies with these values. */
function reaching(values: Values): (from: string, to: string, port: number, protocol?: string) => boolean {
  const rules = rulesOf(renderValues({ networkPolicies: { enabled: true }, ...values }, ...onCluster));
  return (from, to, port, protocol = "TCP") => {
    const wanted = { port, protocol };
    const leaves = allows(rules.get(addressOf(from))?.egress, addressOf(to), wanted);
    return leaves && allows(rules.get(addressOf(to))?.ingress, addressOf(from), wanted);
  };
}

/** The rules that the enforcer of the built-in node computes from the rendered policies. */
function rulesOf(objects: readonly KubeObject[]): Map<string, PodRules> {
  const policies = objects.filter(({ kind }) => kind === "NetworkPolicy");
  // The client's types have `_from`, because `from` is a keyword in other languages.
  const translated = JSON.parse(JSON.stringify(policies).replaceAll('"from":', '"_from":')) as V1NetworkPolicy[];
  const known = Object.entries(pods).map(([name, { namespace, labels }]): V1Pod => ({
    metadata: { name, uid: name, namespace, labels },
  }));
  const names = [...new Set(Object.values(pods).map(({ namespace }) => namespace))];
  const namespaces = names.map((name) => ({ metadata: { name, labels: { "kubernetes.io/metadata.name": name } } }));
  const addresses = new Map(Object.entries(pods).map(([name, { address }]) => [name, address]));
  const decided = decide({ policies: translated, pods: known, namespaces, addresses });
  return new Map(decided.map((rules) => [rules.address, rules]));
}

function allows(rules: AllowRule[] | undefined, address: string, wanted: { port: number; protocol: string }): boolean {
  if (rules === undefined) return true;
  return rules.some(({ peers, ports }) => {
    const peer = peers === "any" || peers.some(({ cidrs }) => cidrs.includes(`${address}/32`));
    const fits = ({
      protocol,
      first = 1,
      last = 65535,
    }: {
      protocol: string;
      first?: number;
      last?: number;
    }): boolean => protocol === wanted.protocol && first <= wanted.port && wanted.port <= last;
    return peer && (ports === "any" || ports.some(fits));
  });
}

const monitoring = [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }];
const nginx = [{ podSelector: { matchLabels: { app: "nginx" } }, namespaceSelector: {} }];

describe("the chart's network policies", () => {
  it("are not rendered by default", () => {
    expect(renderValues({}).filter(({ kind }) => kind === "NetworkPolicy")).toEqual([]);
  });

  it("include one for the clean-up before an uninstall, which an administrator's default-deny policy would stop otherwise", () => {
    const policies = (...sets: string[]): string[] =>
      renderValues({ networkPolicies: { enabled: true } }, ...onCluster, ...sets)
        .filter(({ kind }) => kind === "NetworkPolicy")
        .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    expect(policies()).toContain(`${release.namespace}/bellhop-uninstall`);
    expect(policies("--set", "uninstall.enabled=false")).toHaveLength(3);
  });

  it.each([
    ["stranger", "gateway", 8080, "deliveries come from anywhere"],
    ["operator", "gateway", 8081, "the operator asks which keys are loaded"],
    ["sandbox", "gateway", 8081, "a sandbox finds the canary closed by its own policy only"],
    ["gateway", "api-server", 6443, "tasks are stored"],
    ["operator", "api-server", 443, "some API servers listen there"],
    ["gateway", "github", 443, "connections replace webhooks where there is no ingress"],
    ["operator", "github", 443, "providers are called"],
    ["sandbox", "broker", 8443, "the sandbox's one way out"],
    ["broker", "github", 443, "fetches and pushes are forwarded"],
    ["broker", "api-server", 6443, "capabilities are checked"],
    ["prometheus", "operator", 8081, "metrics are scraped"],
    ["prometheus", "broker", 8081, "metrics are scraped"],
    ["operator", "dns", 53, "names are resolved"],
    ["uninstall", "dns", 53, "names are resolved"],
    ["uninstall", "api-server", 6443, "finalizers are removed"],
    ["uninstall", "github", 443, "tokens are revoked"],
  ])("let %s reach %s at %i: %s", (from, to, port) => {
    expect(reaching({})(from, to, port)).toBe(true);
  });

  it.each([
    ["stranger", "broker", 8443, "only sandboxes call the broker"],
    ["gateway", "broker", 8443, "only sandboxes call the broker"],
    ["stranger", "operator", 8080, "the operator serves nothing but probes"],
    ["gateway", "github", 80, "the gateway calls the API server and providers only"],
    ["gateway", "stranger", 8080, "the gateway calls the API server and providers only"],
    ["broker", "gateway", 8081, "the broker asks no gateway"],
    ["stranger", "uninstall", 8081, "the clean-up serves nothing"],
    ["uninstall", "stranger", 8080, "the clean-up calls the API server and providers only"],
    ["operator", "stranger", 8081, "of probes, the operator reads the gateways' only"],
  ])("do not let %s reach %s at %i: %s", (from, to, port) => {
    expect(reaching({})(from, to, port)).toBe(false);
  });

  it("resolve names over UDP, also where DNS listens on OpenShift's port", () => {
    const reaches = reaching({});
    for (const process of ["gateway", "operator", "broker", "uninstall"]) {
      expect(
        [53, 5353].map((port) => reaches(process, "dns", port, "UDP")),
        process,
      ).toEqual([true, true]);
    }
  });

  it("allow deliveries only from the named peers", () => {
    const reaches = reaching({ networkPolicies: { enabled: true, deliveriesFrom: nginx } });
    expect(reaches("ingress", "gateway", 8080)).toBe(true);
    expect(reaches("stranger", "gateway", 8080)).toBe(false);
  });

  it("allow the install pages only if they are enabled, and only from the same peers as deliveries", () => {
    expect(reaching({})("stranger", "operator", 8082)).toBe(false);
    const installPages = { enabled: true };
    expect(reaching({ installPages })("stranger", "operator", 8082)).toBe(true);
    expect(reaching({ installPages })("stranger", "operator", 8080)).toBe(false);
    const reaches = reaching({ installPages, networkPolicies: { enabled: true, deliveriesFrom: nginx } });
    expect(["ingress", "stranger"].map((from) => reaches(from, "operator", 8082))).toEqual([true, false]);
  });

  it("allow probes of operator and broker only from the named peers, and probes of the gateway from all", () => {
    const reaches = reaching({ networkPolicies: { enabled: true, probesFrom: monitoring } });
    expect(["operator", "broker", "gateway"].map((to) => reaches("prometheus", to, 8081))).toEqual([true, true, true]);
    expect(["operator", "broker", "gateway"].map((to) => reaches("stranger", to, 8081))).toEqual([false, false, true]);
  });

  it("allow the named ports of the API server and of providers, and no others", () => {
    const reaches = reaching({ networkPolicies: { enabled: true, apiServerPorts: [16443], providerPorts: [3128] } });
    expect(["gateway", "operator", "broker"].map((from) => reaches(from, "api-server", 16443))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["gateway", "operator", "broker"].map((from) => reaches(from, "github", 3128))).toEqual([true, true, true]);
    expect(["gateway", "operator", "broker"].map((from) => reaches(from, "github", 443))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("allow all traffic to the broker if sandboxes are processes, which have no labels", () => {
    const reaches = reaching({ sandbox: { backend: "process", allowNotIsolated: true } });
    expect(reaches("stranger", "broker", 8443)).toBe(true);
  });
});
