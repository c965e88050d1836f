import type { KubeClient } from "../../src/kube/types.ts";
import { type CustomResourceDefinition, installCrd } from "../cluster/crds.ts";

const text = { type: "string" };
const texts = { type: "array", items: text };
const object = (properties: object): object => ({ type: "object", properties });
const listOf = (properties: object): object => ({ type: "array", items: object(properties) });

const relabelings = listOf({
  action: text,
  sourceLabels: texts,
  separator: text,
  regex: text,
  modulus: { type: "integer" },
  targetLabel: text,
  replacement: text,
});
const endpoints = listOf({
  port: text,
  path: text,
  interval: text,
  scrapeTimeout: text,
  relabelings,
  metricRelabelings: relabelings,
});
const namespaceSelector = object({ any: { type: "boolean" }, matchNames: texts });
const selector = object({ matchLabels: { type: "object", additionalProperties: text } });
const common = { namespaceSelector, selector, jobLabel: text };

/**
 * CRDs of ServiceMonitor and PodMonitor with the fields that the chart may set; the API server drops all other fields. Source: the
 * Prometheus Operator's API reference, https://prometheus-operator.dev/docs/api-reference/api/
 */
export async function installPrometheusCrds(client: KubeClient): Promise<void> {
  await installCrd(client, crd("ServiceMonitor", { ...common, targetLabels: texts, endpoints }));
  await installCrd(client, crd("PodMonitor", { ...common, podTargetLabels: texts, podMetricsEndpoints: endpoints }));
}

function crd(kind: string, spec: object): CustomResourceDefinition {
  const singular = kind.toLowerCase();
  const group = "monitoring.coreos.com";
  const schema = { openAPIV3Schema: object({ spec: object(spec) }) };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${singular}s.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural: `${singular}s`, singular },
      scope: "Namespaced",
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  };
}
