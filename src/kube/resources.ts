import type {
  EventsV1Event,
  V1Endpoint,
  V1LeaseSpec,
  V1NamespaceStatus,
  V1NetworkPolicySpec,
  V1NodeSpec,
  V1NodeStatus,
  V1PodSpec,
  V1PodStatus,
  V1ServiceSpec,
  V1TokenReviewSpec,
  V1TokenReviewStatus,
} from "@kubernetes/client-node";
import type { KubeObject, ResourceType } from "./types.ts";

/** client-node's types as in JSON: dates are strings, and `_from` is `from`. */
export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Wire<Item>[]
    : T extends object
      ? { [K in keyof T as K extends `_${infer Name}` ? Name : K]: Wire<T[K]> }
      : T;

/** A pod. */
export interface Pod extends KubeObject {
  spec?: Wire<V1PodSpec>;
  status?: Wire<V1PodStatus>;
}

/** A secret; values of `data` are base64. */
export interface Secret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
  /** Only written, never read back. */
  stringData?: Record<string, string>;
  immutable?: boolean;
}

/** A config map; values of `binaryData` are base64. */
export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
  immutable?: boolean;
}

/** A service account. */
export interface ServiceAccount extends KubeObject {
  automountServiceAccountToken?: boolean;
}

/** A service. */
export interface Service extends KubeObject {
  spec?: Wire<V1ServiceSpec>;
}

/** A node. */
export interface Node extends KubeObject {
  spec?: Wire<V1NodeSpec>;
  status?: Wire<V1NodeStatus>;
}

/** A namespace. */
export interface Namespace extends KubeObject {
  status?: Wire<V1NamespaceStatus>;
}

/** A lease of coordination.k8s.io; times have microseconds. */
export interface Lease extends KubeObject {
  spec?: Wire<V1LeaseSpec>;
}

/** An event of events.k8s.io. */
export type Event = KubeObject & Omit<Wire<EventsV1Event>, "metadata" | "apiVersion" | "kind">;

/** A resource quota; amounts are quantities. */
export interface ResourceQuota extends KubeObject {
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
}

/** The addresses behind a service. */
export interface EndpointSlice extends KubeObject {
  addressType: "IPv4" | "IPv6" | "FQDN";
  endpoints: Wire<V1Endpoint>[];
  ports?: { name?: string; port?: number; protocol?: string; appProtocol?: string }[];
}

/** A network policy. */
export interface NetworkPolicy extends KubeObject {
  spec?: Wire<V1NetworkPolicySpec>;
}

/** A review of a token; it is only created, and its `metadata.name` is empty. */
export interface TokenReview extends KubeObject {
  spec: Wire<V1TokenReviewSpec>;
  status?: Wire<V1TokenReviewStatus>;
}

export const pods: ResourceType<Pod> = core("Pod", "pods");
export const secrets: ResourceType<Secret> = core("Secret", "secrets");
export const configMaps: ResourceType<ConfigMap> = core("ConfigMap", "configmaps");
export const serviceAccounts: ResourceType<ServiceAccount> = core("ServiceAccount", "serviceaccounts");
export const services: ResourceType<Service> = core("Service", "services");
export const nodes: ResourceType<Node> = { ...core<Node>("Node", "nodes"), namespaced: false };
export const namespaces: ResourceType<Namespace> = { ...core<Namespace>("Namespace", "namespaces"), namespaced: false };
export const resourceQuotas: ResourceType<ResourceQuota> = core("ResourceQuota", "resourcequotas");
export const leases: ResourceType<Lease> = grouped("coordination.k8s.io", "Lease", "leases");
export const deployments: ResourceType<KubeObject> = grouped("apps", "Deployment", "deployments");
export const events: ResourceType<Event> = grouped("events.k8s.io", "Event", "events");
export const endpointSlices: ResourceType<EndpointSlice> = grouped(
  "discovery.k8s.io",
  "EndpointSlice",
  "endpointslices",
);
export const networkPolicies: ResourceType<NetworkPolicy> = grouped(
  "networking.k8s.io",
  "NetworkPolicy",
  "networkpolicies",
);
export const tokenReviews: ResourceType<TokenReview> = {
  ...grouped<TokenReview>("authentication.k8s.io", "TokenReview", "tokenreviews"),
  namespaced: false,
};

function core<T extends KubeObject>(kind: string, plural: string): ResourceType<T> {
  return { group: "", version: "v1", kind, plural, namespaced: true };
}

function grouped<T extends KubeObject>(group: string, kind: string, plural: string): ResourceType<T> {
  return { group, version: "v1", kind, plural, namespaced: true };
}
