import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { group } from "../../src/api/common.ts";
import { integrationKinds } from "../../src/api/integration-kinds.ts";
import { kinds } from "../../src/api/kinds.ts";
import { leases, secrets } from "../../src/kube/resources.ts";
import type { KubeConnection, KubeObject, ResourceType, WatchOptions } from "../../src/kube/types.ts";
import { accounts, aClusterWithChart, applyAll, type ChartWorld, release, renderUninstall } from "./chart-world.ts";

const verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
const dangerous = ["*", "impersonate", "escalate", "bind", "approve", "sign", "use"];

/** Every resource for which rights are checked, as `plural.group` or `plural/subresource.group`. */
const resources = [
  ...kinds.flatMap(({ plural, group }) => ["", "/status", "/finalizers"].map((part) => `${plural}${part}.${group}`)),
  ...words(`pods pods/exec pods/attach pods/portforward pods/proxy pods/log pods/ephemeralcontainers pods/status pods/eviction
    pods/binding secrets configmaps services services/proxy endpoints events nodes nodes/proxy nodes/status namespaces
    serviceaccounts serviceaccounts/token persistentvolumeclaims persistentvolumes users groups replicationcontrollers
    resourcequotas deployments.apps daemonsets.apps statefulsets.apps replicasets.apps jobs.batch cronjobs.batch
    networkpolicies.networking.k8s.io ingresses.networking.k8s.io leases.coordination.k8s.io
    endpointslices.discovery.k8s.io events.events.k8s.io customresourcedefinitions.apiextensions.k8s.io
    tokenreviews.authentication.k8s.io subjectaccessreviews.authorization.k8s.io
    roles.rbac.authorization.k8s.io rolebindings.rbac.authorization.k8s.io clusterroles.rbac.authorization.k8s.io
    clusterrolebindings.rbac.authorization.k8s.io validatingadmissionpolicies.admissionregistration.k8s.io
    validatingadmissionpolicybindings.admissionregistration.k8s.io
    mutatingwebhookconfigurations.admissionregistration.k8s.io certificatesigningrequests.certificates.k8s.io * *.*`),
];

const tasksNamespace = "team-a";
const scopes = ["", tasksNamespace, release.namespace, release.brokerNamespace, "default", "kube-system"];

/** The expected rights of each account: in every namespace, and additionally in some. Resource → verbs, in the order above. */
type Rights = Record<string, string>;
interface Matrix {
  everywhere: Rights;
  in: Record<string, Rights>;
}

/** The same rights on the integrations of every provider, and on their status. */
function onIntegrations(verbs: string, onStatus?: string): Rights {
  const plurals = Object.values(integrationKinds).map(({ plural }) => plural);
  return Object.fromEntries(
    plurals.flatMap((plural) => [
      [`${plural}.${group}`, verbs],
      ...(onStatus === undefined ? [] : [[`${plural}/status.${group}`, onStatus]]),
    ]),
  );
}

const gateway: Matrix = {
  everywhere: {
    ...onIntegrations("get list watch"),
    "agenttasks.bellhop.dev": "create",
  },
  in: {},
};

const operator: Matrix = {
  everywhere: {
    ...onIntegrations("get list watch patch", "update"),
    "agenttasks.bellhop.dev": "get list watch create patch delete",
    "agenttasks/status.bellhop.dev": "update",
    "agentprofiles.bellhop.dev": "get list watch",
    "agentprofiles/status.bellhop.dev": "update",
    pods: "get list watch create patch delete",
    "networkpolicies.networking.k8s.io": "get list watch create",
    configmaps: "get create",
    "events.events.k8s.io": "create patch",
    secrets: "get",
    nodes: "list",
    resourcequotas: "list",
  },
  in: {
    [release.namespace]: {
      secrets: "get create update patch delete",
      "leases.coordination.k8s.io": "create",
      "endpointslices.discovery.k8s.io": "list",
    },
    [release.brokerNamespace]: { secrets: "get list create update patch delete" },
    default: { "endpointslices.discovery.k8s.io": "list" },
  },
};

const broker: Matrix = {
  everywhere: {
    "tokenreviews.authentication.k8s.io": "create",
    "agenttasks.bellhop.dev": "get",
    "agenttasks/status.bellhop.dev": "patch",
  },
  in: { [release.brokerNamespace]: { secrets: "get" } },
};

/** The account of the clean-up exists while an uninstall runs, and stays if the uninstall is interrupted. */
const uninstall: Matrix = {
  everywhere: {
    ...onIntegrations("get list patch"),
    "agenttasks.bellhop.dev": "get list patch",
    pods: "get list patch delete",
    secrets: "get",
  },
  in: { [release.brokerNamespace]: { secrets: "get list delete" } },
};

let world: ChartWorld;
beforeAll(async () => {
  world = await aClusterWithChart();
  await applyAll(world.admin, renderUninstall());
});
afterAll(() => world?.stop());

describe.each([
  ["gateway", accounts.gateway, gateway],
  ["operator", accounts.operator, operator],
  ["broker", accounts.broker, broker],
  ["uninstall", accounts.uninstall, uninstall],
] as const)("the %s's account", (_name, user, matrix) => {
  it.each(scopes.map((scope) => [scope === "" ? "all namespaces" : scope, scope]))(
    "has in %s exactly the rights of the matrix",
    async (_where, namespace) => {
      expect(await rightsOf(user, namespace)).toEqual(ordered({ ...matrix.everywhere, ...matrix.in[namespace] }));
    },
  );

  it("has no verb with which it could extend its own rights", async () => {
    for (const verb of dangerous) {
      for (const resource of ["*", "*.*", "users", "serviceaccounts", "clusterroles.rbac.authorization.k8s.io"]) {
        expect(await may(user, { verb, resource, namespace: "" }), `${verb} ${resource}`).toBe(false);
      }
    }
  });
});

describe("rights by name", () => {
  const named = [
    [accounts.gateway, "get list watch", "secrets", release.namespace, "bellhop-gateway-keys"],
    [accounts.gateway, "get list watch", "configmaps", release.namespace, "bellhop-gateway-facts"],
    [accounts.gateway, "", "secrets", release.namespace, "bellhop-ca"],
    [accounts.gateway, "", "secrets", tasksNamespace, "bellhop-gateway-keys"],
    [accounts.gateway, "", "configmaps", release.namespace, "bellhop-accounts"],
    [accounts.operator, "get create patch", "configmaps", release.namespace, "bellhop-gateway-facts"],
    [accounts.operator, "get create", "configmaps", release.namespace, "bellhop-accounts"],
    [accounts.operator, "get create update", "leases.coordination.k8s.io", release.namespace, "bellhop-operator"],
    [
      accounts.operator,
      "get list watch create",
      "leases.coordination.k8s.io",
      release.namespace,
      "bellhop-gateway-sockets",
    ],
    [accounts.operator, "create", "leases.coordination.k8s.io", release.namespace, "another"],
    [accounts.gateway, "get update", "leases.coordination.k8s.io", release.namespace, "bellhop-gateway-sockets"],
    [accounts.gateway, "", "leases.coordination.k8s.io", release.namespace, "bellhop-operator"],
    [accounts.operator, "get", "services", release.brokerNamespace, "bellhop-broker"],
    [accounts.operator, "get", "services", "kube-system", "kube-dns"],
    [accounts.operator, "", "services", "kube-system", "metrics-server"],
    [accounts.broker, "", "secrets", release.namespace, "bellhop-ca"],
    [accounts.broker, "", "secrets", tasksNamespace, "github-app"],
    [accounts.uninstall, "delete", "deployments.apps", release.namespace, "bellhop-operator"],
    [accounts.uninstall, "delete", "deployments.apps", release.namespace, "bellhop-gateway"],
    [accounts.uninstall, "", "deployments.apps", release.namespace, "another"],
    [accounts.uninstall, "", "deployments.apps", tasksNamespace, "bellhop-operator"],
  ] as const;

  it.each(named)("%s may `%s` on %s in %s named %s", async (user, want, resource, namespace, name) => {
    expect((await allowedVerbs(user, { resource, namespace, name })).join(" ")).toBe(want);
  });

  it("let the gateway list and watch its one Secret only with a field selector", async () => {
    const client = await world.as(accounts.gateway);
    await world.admin.create(secrets, { metadata: { name: "bellhop-gateway-keys", namespace: release.namespace } });
    const own = { namespace: release.namespace, fieldSelector: "metadata.name=bellhop-gateway-keys" };
    const { items, resourceVersion } = await client.list(secrets, own);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["bellhop-gateway-keys"]);
    await expect(opens(client, { ...own, resourceVersion })).resolves.toBe(true);
    await expect(client.list(secrets, { namespace: release.namespace })).rejects.toMatchObject({ status: 403 });
    const other = { namespace: release.namespace, fieldSelector: "metadata.name=bellhop-ca" };
    await expect(client.list(secrets, other)).rejects.toMatchObject({ status: 403 });
    await expect(opens(client, { namespace: release.namespace, resourceVersion })).rejects.toMatchObject({
      status: 403,
    });
  });

  it("let the gateway hold the Lease that the chart created for its connections", async () => {
    const client = await world.as(accounts.gateway);
    const key = { name: "bellhop-gateway-sockets", namespace: release.namespace };
    const lease = await client.get(leases, key);
    expect(lease.spec?.holderIdentity).toBeUndefined();
    const annotations = { ...lease.metadata.annotations, "bellhop.dev/sockets": "{}" };
    const held = { ...lease, metadata: { ...lease.metadata, annotations }, spec: { holderIdentity: "me" } };
    await expect(client.replace(leases, held)).resolves.toBeDefined();
    const operator = await world.as(accounts.operator);
    const { items } = await operator.list(leases, {
      namespace: release.namespace,
      fieldSelector: `metadata.name=${key.name}`,
    });
    expect(items).toMatchObject([{ spec: { holderIdentity: "me" } }]);
  });

  it("let the operator hold its own Lease", async () => {
    const client = await world.as(accounts.operator);
    const made = await client.create(leases, { metadata: { name: "bellhop-operator", namespace: release.namespace } });
    await expect(client.replace(leases, { ...made, spec: { holderIdentity: "me" } })).resolves.toBeDefined();
  });
});

describe("the roles of people", () => {
  const read = ["get", "list", "watch"];
  const write = ["create", "update", "patch", "delete"];

  it.each([
    ["view", read, []],
    ["edit", write, []],
    ["admin", [], [...write, "deletecollection"]],
  ])("give `%s` the documented rights", async (role, onTasks, onSettings) => {
    const user = `person-with-${role}`;
    const apiGroup = "rbac.authorization.k8s.io";
    const binding: KubeObject & Record<string, unknown> = {
      apiVersion: `${apiGroup}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: user },
      roleRef: { apiGroup, kind: "ClusterRole", name: `bellhop-${role}` },
      subjects: [{ apiGroup, kind: "User", name: user }],
    };
    await applyAll(world.admin, [binding]);
    const at = (resource: string) => allowedVerbs(user, { resource, namespace: tasksNamespace });
    expect(await at("agenttasks.bellhop.dev")).toEqual(onTasks);
    const settings = role === "view" ? read : onSettings;
    for (const { plural } of Object.values(integrationKinds)) expect(await at(`${plural}.${group}`)).toEqual(settings);
    expect(await at("agentprofiles.bellhop.dev")).toEqual(settings);
    expect(await at("agenttasks/status.bellhop.dev")).toEqual([]);
  });

  it("are aggregated to the built-in roles", () => {
    const aggregated = world.objects.flatMap(({ metadata }) =>
      Object.keys(metadata.labels ?? {})
        .filter((label) => label.startsWith("rbac.authorization.k8s.io/aggregate-to-"))
        .map((label) => [metadata.name, label.split("-to-")[1] ?? ""]),
    );
    const want = { "bellhop-admin": "admin", "bellhop-edit": "edit", "bellhop-view": "view" };
    expect(Object.fromEntries(aggregated)).toEqual(want);
  });
});

interface Question {
  resource: string;
  namespace: string;
  verb: string;
  name?: string;
}

function words(text: string): string[] {
  return text.split(/\s+/);
}

async function rightsOf(user: string, namespace: string): Promise<Rights> {
  const rights: Rights = {};
  for (const resource of resources) {
    const allowed = await allowedVerbs(user, { resource, namespace });
    if (allowed.length > 0) rights[resource] = allowed.join(" ");
  }
  return ordered(rights);
}

async function allowedVerbs(user: string, question: Omit<Question, "verb">): Promise<string[]> {
  const answers = await Promise.all(verbs.map((verb) => may(user, { ...question, verb })));
  return verbs.filter((_verb, at) => answers[at]);
}

interface AccessReview extends KubeObject {
  spec: object;
  status?: { allowed: boolean };
}

const reviews: ResourceType<AccessReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
  namespaced: false,
};

async function may(user: string, { resource: full, namespace, verb, name }: Question): Promise<boolean> {
  const [path = "", ...group] = full.split(".");
  const [resource, subresource = ""] = path.split("/");
  const inNamespace = user.split(":")[2] ?? "";
  const review = await world.admin.create(reviews, {
    metadata: { name: "" },
    spec: {
      user,
      groups: [
        "system:authenticated",
        ...(user.startsWith("system:serviceaccount:")
          ? ["system:serviceaccounts", `system:serviceaccounts:${inNamespace}`]
          : []),
      ],
      resourceAttributes: { group: group.join("."), resource, subresource, namespace, verb, name: name ?? "" },
    },
  });
  return review.status?.allowed ?? false;
}

function ordered(rights: Rights): Rights {
  return Object.fromEntries(Object.entries(rights).toSorted(([a], [b]) => a.localeCompare(b)));
}

type WatchOn = Pick<WatchOptions, "namespace" | "fieldSelector" | "resourceVersion">;

/** Whether the account may open a watch. The watch ends by itself after a second. */
async function opens(client: KubeConnection, options: WatchOn): Promise<boolean> {
  for await (const _event of client.watch(secrets, { timeoutSeconds: 1, ...options })) return true;
  return true;
}
