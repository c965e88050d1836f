import type { V1NetworkPolicySpec, V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import type { AllowRule, PodRules } from "./decide.ts";
import { decide } from "./decide.ts";

const namespaces = [
  { metadata: { name: "shop", labels: { team: "shop" } } },
  { metadata: { name: "other", labels: { team: "other" } } },
];

function pod(name: string, namespace: string, labels: Record<string, string>): V1Pod {
  const ports = [{ name: "http", containerPort: 8080 }];
  return { metadata: { name, namespace, uid: name, labels }, spec: { containers: [{ name: "main", ports }] } };
}

const pods = [
  pod("web", "shop", { app: "web" }),
  pod("db", "shop", { app: "db" }),
  pod("web-elsewhere", "other", { app: "web" }),
];
const addresses = new Map([
  ["web", "10.0.0.1"],
  ["db", "10.0.0.2"],
  ["web-elsewhere", "10.0.0.3"],
]);

/** The rules of the pods in the namespace `shop`, by address. */
function decideFor(...specs: V1NetworkPolicySpec[]): Record<string, PodRules> {
  const policies = specs.map((spec) => ({ metadata: { namespace: "shop" }, spec }));
  const rules = decide({ policies, pods, namespaces, addresses });
  return Object.fromEntries(rules.map((each) => [each.address, each]));
}

/** The rules of the pod `db`. */
function forDb(spec: Partial<V1NetworkPolicySpec>): PodRules | undefined {
  return decideFor({ podSelector: { matchLabels: { app: "db" } }, ...spec })["10.0.0.2"];
}

const only = (...addresses: string[]): AllowRule["peers"] => [
  { cidrs: addresses.map((address) => `${address}/32`), except: [] },
];

describe("decide", () => {
  it("does not restrict a pod that no policy selects, also one with the same labels in another namespace", () => {
    const rules = decideFor({ podSelector: { matchLabels: { app: "web" } } });
    expect(Object.keys(rules)).toEqual(["10.0.0.1"]);
  });

  it("restricts a selected pod only in the directions of policyTypes", () => {
    expect(forDb({ policyTypes: ["Egress"] })).toEqual({ address: "10.0.0.2", egress: [] });
    expect(forDb({ policyTypes: ["Ingress"] })).toEqual({ address: "10.0.0.2", ingress: [] });
  });

  it("applies a policy without policyTypes to egress only if it has egress rules", () => {
    expect(forDb({})).toEqual({ address: "10.0.0.2", ingress: [] });
    expect(forDb({ egress: [{}] })).toMatchObject({ ingress: [], egress: [{ peers: "any", ports: "any" }] });
  });

  it("applies a pod selector to the policy's own namespace", () => {
    const rules = forDb({ ingress: [{ _from: [{ podSelector: { matchLabels: { app: "web" } } }] }] });
    expect(rules?.ingress).toEqual([{ peers: only("10.0.0.1"), ports: "any" }]);
  });

  it("applies a pod selector to the namespaces of a namespace selector, and selects all their pods without it", () => {
    const elsewhere = {
      namespaceSelector: { matchExpressions: [{ key: "team", operator: "NotIn", values: ["shop"] }] },
    };
    expect(forDb({ ingress: [{ _from: [elsewhere] }] })?.ingress?.[0]?.peers).toEqual(only("10.0.0.3"));
    const dbElsewhere = { ...elsewhere, podSelector: { matchLabels: { app: "db" } } };
    expect(forDb({ ingress: [{ _from: [dbElsewhere] }] })?.ingress?.[0]?.peers).toEqual(only());
  });

  it("keeps the exceptions of an address block, and the protocol and range of each port", () => {
    const block = { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] };
    const ports = [{ port: 53, protocol: "UDP" }, { port: 8000, endPort: 8010 }, { protocol: "SCTP" }];
    expect(forDb({ policyTypes: ["Egress"], egress: [{ to: [{ ipBlock: block }], ports }] })?.egress).toEqual([
      {
        peers: [{ cidrs: ["0.0.0.0/0"], except: ["10.0.0.0/8"] }],
        ports: [
          { protocol: "UDP", first: 53, last: 53 },
          { protocol: "TCP", first: 8000, last: 8010 },
          { protocol: "SCTP" },
        ],
      },
    ]);
  });

  it("resolves a named port at the receiving pod", () => {
    const http = [{ port: "http" }];
    const at8080 = [{ protocol: "TCP", first: 8080, last: 8080 }];
    expect(forDb({ ingress: [{ ports: http }] })?.ingress).toEqual([{ peers: "any", ports: at8080 }]);
    const toWeb = { to: [{ podSelector: { matchLabels: { app: "web" } } }], ports: http };
    expect(forDb({ policyTypes: ["Egress"], egress: [toWeb] })?.egress).toEqual([
      { peers: only("10.0.0.1"), ports: at8080 },
    ]);
    expect(forDb({ ingress: [{ ports: [{ port: "absent" }] }] })?.ingress).toEqual([]);
  });

  it("adds policies up", () => {
    const spec = (port: number): V1NetworkPolicySpec => ({ podSelector: {}, ingress: [{ ports: [{ port }] }] });
    expect(decideFor(spec(1), spec(2))["10.0.0.1"]?.ingress).toHaveLength(2);
  });

  it("denies all traffic of an address whose pod does not exist any more", () => {
    const rules = decide({ policies: [], pods: [], namespaces, addresses: new Map([["gone", "10.0.0.9"]]) });
    expect(rules).toEqual([{ address: "10.0.0.9", ingress: [], egress: [] }]);
  });
});
