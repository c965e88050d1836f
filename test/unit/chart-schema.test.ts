import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { chart, helm, minimum, renderValues, type Values } from "../integration/chart-world.ts";

const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/** Values that Helm refuses, by the path that its message must contain. */
const refused: [path: string, values: Values][] = [
  ["", { gatewy: { replicas: 3 } }],
  ["/gateway", { gateway: { replica: 3 } }],
  ["/image/repository", { image: { repository: "" } }],
  ["/image/repository", { image: { repository: "https://registry.example.com/bellhop" } }],
  ["/image/repository", { image: { repository: "registry.example.com/bellhop:1.0" } }],
  ["/image/tag", { image: { tag: "not a tag" } }],
  ["/image/digest", { image: { digest: "sha256:abc" } }],
  ["/image/digest", { image: { digest: "a".repeat(64) } }],
  ["/image/pullPolicy", { image: { pullPolicy: "Sometimes" } }],
  ["/image/pullSecrets/0", { image: { pullSecrets: ["Not_A_Name"] } }],
  ["/global/imageRegistry", { global: { imageRegistry: "https://mirror.example.com" } }],
  [
    "/global/compatibility/openshift/adaptSecurityContext",
    { global: { compatibility: { openshift: { adaptSecurityContext: true } } } },
  ],
  ["/logLevel", { logLevel: "verbose" }],
  ["/commonLabels/app.kubernetes.io~1name", { commonLabels: { "app.kubernetes.io/name": "mine" } }],
  ["/commonLabels/team", { commonLabels: { team: "a value with spaces" } }],
  ["/commonAnnotations", { commonAnnotations: { "two/slashes/here": "x" } }],
  [
    "/gateway/podLabels/app.kubernetes.io~1component",
    { gateway: { podLabels: { "app.kubernetes.io/component": "x" } } },
  ],
  ["/gateway/externalURL", { gateway: { externalURL: "http://bellhop.example.com" } }],
  ["/gateway/externalURL", { gateway: { externalURL: "https://bellhop.example.com/hooks" } }],
  ["/installPages/externalURL", { installPages: { externalURL: "https://bellhop.example.com/install" } }],
  ["/installPages", { installPages: { enable: true } }],
  ["/gateway/ingress/host", { gateway: { ingress: { host: "https://bellhop.example.com" } } }],
  ["/gateway/ingress/host", { gateway: { ingress: { host: "bellhop.example.com/hooks" } } }],
  ["/gateway/ingress/host", { gateway: { ingress: { host: "bellhop.example.com:443" } } }],
  ["/gateway/ingress/host", { gateway: { ingress: { host: "192.0.2.1" } } }],
  ["/gateway/ingress/tlsSecret", { gateway: { ingress: { tlsSecret: "not a name" } } }],
  ["/gateway/service/type", { gateway: { service: { type: "ExternalName" } } }],
  ["/gateway/replicas", { gateway: { replicas: -1 } }],
  ["/broker/replicas", { broker: { replicas: "two" } }],
  ["/operator/workers", { operator: { workers: 65 } }],
  ["/operator/taskRetentionDays", { operator: { taskRetentionDays: 6 } }],
  ["/broker/maxPushMiB", { broker: { maxPushMiB: 0 } }],
  ["/gateway/resources", { gateway: { resources: { request: { cpu: 1 } } } }],
  ["/gateway/resources/limits/memory", { gateway: { resources: { limits: { memory: "768MB" } } } }],
  ["/operator/resources/requests/cpu", { operator: { resources: { requests: { cpu: "a lot" } } } }],
  ["/operator/resources/requests", { operator: { resources: { requests: { mem: "1Gi" } } } }],
  ["/tolerations", { tolerations: { key: "spot" } }],
  ["/broker/tolerations/0/effect", { broker: { tolerations: [{ key: "spot", effect: "noSchedule" }] } }],
  ["/affinity", { affinity: [] }],
  ["/operator/affinity", { operator: { affinity: { podAffinities: {} } } }],
  ["/gateway/topologySpreadConstraints/0", { gateway: { topologySpreadConstraints: [{ maxSkew: 1 }] } }],
  ["/nodeSelector/pool", { nodeSelector: { pool: 1 } }],
  ["/priorityClassName", { priorityClassName: "Very High" }],
  ["/securityContext/privileged", { securityContext: { privileged: true } }],
  ["/securityContext", { securityContext: { capabilities: null } }],
  ["/podSecurityContext", { podSecurityContext: { runAsNonRoot: null } }],
  [
    "/gateway/securityContext/allowPrivilegeEscalation",
    { gateway: { securityContext: { allowPrivilegeEscalation: true } } },
  ],
  [
    "/gateway/securityContext/capabilities/add/0",
    { gateway: { securityContext: { capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } } } },
  ],
  ["/operator/podSecurityContext/runAsUser", { operator: { podSecurityContext: { runAsUser: 0 } } }],
  ["/operator/podSecurityContext/runAsNonRoot", { operator: { podSecurityContext: { runAsNonRoot: false } } }],
  ["/broker/podSecurityContext", { broker: { podSecurityContext: { hostPID: true } } }],
  ["/gateway/extraEnv/0", { gateway: { extraEnv: [{ value: "of nothing" }] } }],
  ["/gateway/extraVolumes/0", { gateway: { extraVolumes: [{ name: "host", hostPath: { path: "/" } }] } }],
  ["/gateway/extraVolumeMounts/0/mountPath", { gateway: { extraVolumeMounts: [{ name: "a", mountPath: "tmp" }] } }],
  ["/operator/podDisruptionBudget/minAvailable", { operator: { podDisruptionBudget: { minAvailable: "half" } } }],
  ["/operator/strategy", { operator: { strategy: { maxSurge: 1 } } }],
  ["/metrics/serviceMonitor/interval", { metrics: { serviceMonitor: { interval: "often" } } }],
  ["/metrics/podMonitor/relabelings/0", { metrics: { podMonitor: { relabelings: [{ source_labels: ["a"] }] } } }],
  ["/networkPolicies/apiServerPorts", { networkPolicies: { apiServerPorts: [] } }],
  ["/networkPolicies/deliveriesFrom/0", { networkPolicies: { deliveriesFrom: [{ namespace: "ingress" }] } }],
  ["/networkPolicies/probesFrom/0/ipBlock/cidr", { networkPolicies: { probesFrom: [{ ipBlock: { cidr: "10.1" } }] } }],
  ["/allowedPrivateHosts/0", { allowedPrivateHosts: ["https://github.example.com"] }],
  ["/clusterRanges/0", { clusterRanges: ["10.0.0.0"] }],
  ["/clusterRanges/1", { clusterRanges: ["10.0.0.0/8", "10.0.0.0/33"] }],
  ["/clusterRanges/0", { clusterRanges: ["10.0.0.256/8"] }],
  ["/clusterRanges/0", { clusterRanges: ["fd00::/129"] }],
  ["/clusterRanges/0", { clusterRanges: ["fd00::1::2/64"] }],
  ["/clusterRanges/0", { clusterRanges: ["1:2:3:4:5:6:7:8:9/64"] }],
  ["/clusterRanges/0", { clusterRanges: ["fd000::/8"] }],
  ["/clusterRanges/0", { clusterRanges: [":/8"] }],
  ["/extraCA/pem", { extraCA: { pem: "MIIB" } }],
  ["/extraCA/pem", { extraCA: { pem: "-----BEGIN CERTIFICATE-----" } }],
  ["/extraCA/pem", { extraCA: { pem: `${pem}-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n` } }],
  ["/extraCA/configMap", { extraCA: { configMap: "Not_A_Name" } }],
  ["/proxies/https", { proxies: { https: "proxy.example.com:3128" } }],
  ["/guardrails/maxMemory", { guardrails: { maxMemory: "a lot" } }],
  ["/concurrency/cluster", { concurrency: { cluster: 0 } }],
  ["/sandbox/backend", { sandbox: { backend: "vm" } }],
  ["/sandbox/serviceAccountName", { sandbox: { serviceAccountName: "" } }],
];

/** Values that the templates refuse with a message of ours. */
const refusedWithMessage: [why: string, values: Values, words: RegExp][] = [
  ["a process sandbox without the explicit flag", { sandbox: { backend: "process" } }, /isolates nothing/],
  ["an ingress without a host", { gateway: { ingress: { enabled: true } } }, /gateway\.ingress\.host/],
  ["two sources of certificates", { extraCA: { pem, configMap: "corporate" } }, /extraCA has pem and configMap/],
  [
    "two bounds of one disruption budget",
    { broker: { podDisruptionBudget: { minAvailable: 0, maxUnavailable: "50%" } } },
    /broker\.podDisruptionBudget has minAvailable and maxUnavailable/,
  ],
  [
    "two monitors",
    { metrics: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } } },
    /metrics\.serviceMonitor and metrics\.podMonitor are both enabled/,
  ],
  [
    "a variable that the chart sets itself",
    { operator: { extraEnv: [{ name: "BELLHOP_SANDBOX_BACKEND", value: "process" }] } },
    /operator\.extraEnv: the chart sets BELLHOP_SANDBOX_BACKEND itself/,
  ],
];

const sixes = ["::/0", "::1/128", "fd00::/8", "2001:db8::1/128", "2001:db8:1:2:3:4:5:6/64", "1:2:3:4:5:6:7::/112"];

const accepted: [what: string, values: Values][] = [
  ["one file of certificates with comments between them", { extraCA: { pem: `# one\n${pem}\n# two\n${pem}` } }],
  ["ranges of both families", { clusterRanges: ["0.0.0.0/0", "10.0.0.0/8", "255.255.255.255/32", ...sixes] }],
  [
    "quantities as numbers and texts",
    { gateway: { resources: { limits: { cpu: 2, memory: 805306368 }, requests: { cpu: 0.5, memory: "1.5Gi" } } } },
  ],
  ["no limits", { gateway: { resources: { limits: null } } }],
  ["no replicas", { gateway: { replicas: 0 }, operator: { replicas: 0 }, broker: { replicas: 0 } }],
  ["an image of a registry with a port", { image: { repository: "localhost:5000/team/bellhop" } }],
  ["globals of the chart around it", { global: { storageClass: "fast" } }],
  ["a user that the cluster chooses", { podSecurityContext: { runAsUser: null, runAsGroup: null } }],
];

describe("the chart's values", () => {
  it("pass helm lint without a warning if only the documented minimum is given", () => {
    const sets = minimum.flatMap((value) => ["--set", value]);
    const said = helm("lint", chart, "--strict", ...sets);
    expect(said).toMatch(/1 chart\(s\) linted, 0 chart\(s\) failed/);
    expect(said).not.toMatch(/\[(WARNING|ERROR)\]/);
  });

  it.each(refused)("are refused at %s: %j", (path, values) => {
    expect(refusalOf(values)).toContain(`at '${path}': `);
  });

  it.each(refusedWithMessage)("are refused with a message if there is %s", (_what, values, words) => {
    expect(refusalOf(values)).toMatch(words);
  });

  it.each(keysOf(parse(readFileSync(join(chart, "values.yaml"), "utf8"))).map((path) => path.join(".")))(
    "are refused if null removes the default of %s",
    (key) => {
      const path = key.split(".");
      const parent = path
        .slice(0, -1)
        .map((part) => `/${part}`)
        .join("");
      const words = refusalOf({}, "--set", `${key}=null`);
      expect(words).toContain(`at '${parent}': `);
      expect(words).toContain(`'${path.at(-1)}'`);
    },
  );

  it("treat a certificate file that contains only white space as absent", () => {
    const blank = { extraCA: { pem: " \n\n" } };
    expect(renderValues(blank)).toEqual(renderValues({}));
    expect(JSON.stringify(renderValues({ extraCA: { pem } }))).toContain("bellhop-extra-ca");
    expect(JSON.stringify(renderValues({ extraCA: { ...blank.extraCA, configMap: "corporate" } }))).toContain(
      "corporate",
    );
  });

  it.each(accepted)("may be %s", (_what, values) => {
    expect(renderValues(values).length).toBeGreaterThan(0);
  });
});

/** Every key of the values, as a path. Excludes keys that may be set to null: those of security contexts, and of requests and limits. */
function keysOf(value: unknown, path: string[] = []): string[][] {
  const isBranch = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isBranch || /[sS]ecurityContext$|^resources$/.test(path.at(-1) ?? "")) return [];
  return Object.entries(value).flatMap(([key, child]) => [[...path, key], ...keysOf(child, [...path, key])]);
}

/** Helm's error message; empty if it accepts the values. */
function refusalOf(values: Values, ...args: string[]): string {
  try {
    renderValues(values, ...args);
    return "";
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}
