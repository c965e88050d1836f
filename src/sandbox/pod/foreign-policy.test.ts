import { describe, expect, it } from "vitest";
import type { NetworkPolicy } from "../../kube/resources.ts";
import { foreignEgress } from "./foreign-policy.ts";

const labels = { "app.kubernetes.io/component": "sandbox", team: "a" };
const policy = (spec: object, name = "theirs"): NetworkPolicy => ({
  metadata: { name, namespace: "team" },
  spec: spec,
});
const open = { egress: [{}] };

describe("foreignEgress", () => {
  it.each([
    { name: "an empty selector", selector: {}, found: true },
    { name: "labels that match", selector: { matchLabels: { team: "a" } }, found: true },
    { name: "labels that do not match", selector: { matchLabels: { team: "b" } }, found: false },
    {
      name: "a matching expression",
      selector: { matchExpressions: [{ key: "team", operator: "In", values: ["a"] }] },
      found: true,
    },
    {
      name: "NotIn with another value",
      selector: { matchExpressions: [{ key: "team", operator: "NotIn", values: ["b"] }] },
      found: true,
    },
    {
      name: "DoesNotExist of a label that the pod has",
      selector: { matchExpressions: [{ key: "team", operator: "DoesNotExist" }] },
      found: false,
    },
    {
      name: "an unknown operator",
      selector: { matchExpressions: [{ key: "team", operator: "Near" }] },
      found: true,
    },
  ])("finds a policy with $name: $found", ({ selector, found }) => {
    expect(foreignEgress([policy({ podSelector: selector, ...open })], labels) !== undefined).toBe(found);
  });

  it("ignores policies that only deny", () => {
    const denies = policy({ podSelector: {}, policyTypes: ["Egress"], egress: [] });
    expect(foreignEgress([denies], labels)).toBeUndefined();
  });
});
