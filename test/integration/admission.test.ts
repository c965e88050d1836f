import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { agentTaskStatus } from "../../src/api/agent-task-status.ts";
import { AgentTaskKind, type AgentTask } from "../../src/api/kinds.ts";
import { ApiError } from "../../src/kube/errors.ts";
import { configMaps, pods } from "../../src/kube/resources.ts";
import type { Draft, JsonPatch, KubeClient, KubeObject, ResourceType } from "../../src/kube/types.ts";
import { aNamespace, eventually } from "../cluster/namespace.ts";
import { accounts, aClusterWithChart, type ChartWorld, release } from "./chart-world.ts";
import { aPersonsTask, brokerMay, resultValues, statusFields, statusValues } from "./task-samples.ts";

let world: ChartWorld;
let namespace: string;
let alice: KubeClient;
let gateway: KubeClient;
let operator: KubeClient;
let broker: KubeClient;

const breakGlass = "incident:responders";
const anotherImage: JsonPatch = [
  { op: "replace", path: "/spec/containers/0/image", value: "registry.example.com/next" },
];

beforeAll(async () => {
  world = await aClusterWithChart({ accounts: { breakGlassGroup: breakGlass } });
  await allowEverything(world.admin);
  [alice, gateway, operator, broker] = await Promise.all([
    world.as("alice", ["developers"]),
    world.as(accounts.gateway),
    world.as(accounts.operator),
    world.as(accounts.broker),
  ]);
  await policiesInForce();
});
afterAll(() => world?.stop());
beforeEach(async () => {
  namespace = await aNamespace(world.admin, "admission");
});

describe("the source of a task", () => {
  const providerSource = {
    provider: "github",
    cause: "issue_comment/7001",
    subject: { type: "Issue", key: "acme/shop#42", number: 42 },
  } as const;

  it("names the person who creates it", async () => {
    await expect(create(alice, aPersonsTask(namespace))).resolves.toBeDefined();
  });

  it.each([
    ["a provider", { source: providerSource }, /only the gateway and the operator may name a provider/],
    ["another person", { actor: { id: "", login: "bob" } }, /spec\.actor\.login must be you: alice/],
    ["the id of a person at a provider", { actor: { id: "583231", login: "alice" } }, /spec\.actor\.id must be empty/],
    ["a command", { command: "stop" }, /may create commands and retries/],
    ["an approval", { command: "approve", commandArgument: "3f2a1c9" }, /may create commands and retries/],
    ["a retry", { retryOf: { name: "another" } }, /may create commands and retries/],
    ["a provider's conversation", { conversation: "acme/shop#42" }, /spec\.conversation must begin with/],
  ] as const)("cannot be forged: %s", async (_name, over, words) => {
    const draft = aPersonsTask(namespace, over);
    await refused(create(alice, draft), "bellhop-agenttask-source", words);
    await refused(alice.apply(AgentTaskKind, draft, { fieldManager: "alice" }), "bellhop-agenttask-source", words);
    await refused(create(broker, draft), "bellhop-agenttask-source", /./);
    const admin = await world.as("root", ["system:masters"]);
    await refused(create(admin, { ...draft, spec: { ...draft.spec, ...over } }), "bellhop-agenttask-source", /./);
  });

  it("may name a provider only if the gateway or the operator creates the task, not an account with a similar name", async () => {
    const real = {
      source: providerSource,
      actor: { id: "583231", login: "octocat" },
      conversation: "acme/shop#42",
      command: "stop",
    } as const;
    await expect(create(gateway, aPersonsTask(namespace, real))).resolves.toBeDefined();
    await expect(create(operator, aPersonsTask(namespace, { ...real, retryOf: { name: "x" } }))).resolves.toBeDefined();
    const namesake = await world.as(`system:serviceaccount:${namespace}:bellhop-gateway`);
    await refused(create(namesake, aPersonsTask(namespace, real)), "bellhop-agenttask-source", /./);
  });
});

describe("spec.cancel", () => {
  const cancel = (by: string) => ({ spec: { cancel: { by, reason: "enough" } } });

  it("may be set in one's own name", async () => {
    const task = await create(alice, aPersonsTask(namespace));
    const after = await alice.mergePatch(AgentTaskKind, task.metadata, cancel("alice"));
    expect(after.spec.cancel).toEqual({ by: "alice", reason: "enough" });
  });

  it("cannot be set in another person's name, neither at creation nor later", async () => {
    const task = await create(alice, aPersonsTask(namespace));
    for (const client of [alice, gateway, broker]) {
      await refused(
        client.mergePatch(AgentTaskKind, task.metadata, cancel("bob")),
        "bellhop-agenttask-cancel",
        /spec\.cancel\.by must be you/,
      );
    }
    const born = aPersonsTask(namespace, { cancel: { by: "bob" } });
    await refused(create(alice, born), "bellhop-agenttask-cancel", /spec\.cancel\.by must be you: alice/);
  });

  it("may be set by the operator in the name of the person who commented `stop`", async () => {
    const task = await create(alice, aPersonsTask(namespace));
    await expect(operator.mergePatch(AgentTaskKind, task.metadata, cancel("octocat"))).resolves.toBeDefined();
  });
});

describe("the status of a task", () => {
  it("has no field that these tests do not know", () => {
    expect(Object.keys({ ...statusValues, result: {} }).toSorted()).toEqual(
      Object.keys(agentTaskStatus.shape).toSorted(),
    );
    expect(Object.keys(resultValues).toSorted()).toEqual(
      Object.keys(agentTaskStatus.shape.result.unwrap().shape).toSorted(),
    );
  });

  const fields = statusFields();
  const closed = fields.filter(({ path }) => !brokerMay.includes(path));
  const open = fields.filter(({ path }) => brokerMay.includes(path));

  it.each(closed)("cannot be written by the broker: $path", async ({ path, first, second, gone }) => {
    const { metadata } = await create(alice, aPersonsTask(namespace));
    const words = new RegExp(`the broker may not change status.${path.replace(".", "\\.")}`);
    await refused(writeStatus(broker, metadata, first), "bellhop-agenttask-status", words);
    await writeStatus(operator, metadata, first);
    await refused(writeStatus(broker, metadata, second), "bellhop-agenttask-status", words);
    await refused(writeStatus(broker, metadata, gone), "bellhop-agenttask-status", words);
    await refused(writeStatus(broker, metadata, { status: null }), "bellhop-agenttask-status", words);
    await expect(
      writeStatus(broker, metadata, { status: { progress: { updatedAt: "2026-01-02T03:04:05Z" } } }),
    ).resolves.toBeDefined();
  });

  it.each(open)("can be written by the broker: $path", async ({ first, second, gone }) => {
    const { metadata } = await create(alice, aPersonsTask(namespace));
    await writeStatus(operator, metadata, { status: { phase: "Running", result: { branch: "bellhop/1" } } });
    for (const patch of [first, second, gone]) {
      await expect(writeStatus(broker, metadata, patch)).resolves.toMatchObject({
        status: { phase: "Running", result: { branch: "bellhop/1" } },
      });
    }
  });

  it("refuses a patch of the broker that also changes another field", async () => {
    const { metadata } = await create(alice, aPersonsTask(namespace));
    const both = { status: { result: { summary: "Done.", commit: "a".repeat(40) } } };
    await refused(writeStatus(broker, metadata, both), "bellhop-agenttask-status", /status\.result\.commit/);
  });

  it.each([
    ["a person with every right", () => alice],
    ["the gateway", () => gateway],
    ["an administrator", () => world.admin],
  ])("cannot be written by %s", async (_name, client) => {
    const { metadata } = await create(alice, aPersonsTask(namespace));
    for (const { first } of fields) {
      await refused(
        writeStatus(client(), metadata, first),
        "bellhop-agenttask-status",
        /only the operator and the broker/,
      );
    }
  });

  it("can be written completely by the operator", async () => {
    const { metadata } = await create(alice, aPersonsTask(namespace));
    for (const { first, second } of fields) {
      await writeStatus(operator, metadata, first);
      await writeStatus(operator, metadata, second);
    }
  });
});

describe("a sandbox", () => {
  const connects = ["exec", "attach", "portforward", "proxy"];
  let responder: KubeClient;
  beforeAll(async () => {
    responder = await world.as("carol", ["developers", breakGlass]);
  });

  it.each(connects)("lets only the break-glass group %s", async (subresource) => {
    const pod = await aPod(namespace, "acme-1a2b-sandbox-1");
    const root = await world.as("root", ["system:masters"]);
    for (const client of [alice, operator, gateway, broker, root]) {
      await refused(connectTo(client, pod, subresource), "bellhop-sandbox-access", /break-glass group/);
    }
    await passedAdmission(connectTo(responder, pod, subresource));
  });

  it("cannot be reached by a proxy that names a port", async () => {
    await aPod(namespace, "acme-1a2b-sandbox-12");
    const at = { namespace, name: "acme-1a2b-sandbox-12:8080" };
    await refused(connectTo(alice, at, "proxy"), "bellhop-sandbox-access", /break-glass group/);
  });

  it("accepts ephemeral containers of the break-glass group only", async () => {
    const pod = await aPod(namespace, "acme-1a2b-sandbox-1");
    const debug = { spec: { ephemeralContainers: [{ name: "debug", image: "registry.example.com/debug" }] } };
    const add = (client: KubeClient) => client.mergePatch(pods, pod, debug, { subresource: "ephemeralcontainers" });
    await refused(add(alice), "bellhop-sandbox-access", /break-glass group/);
    await refused(add(operator), "bellhop-sandbox-access", /break-glass group/);
    await expect(add(responder)).resolves.toMatchObject({ spec: { ephemeralContainers: [{ name: "debug" }] } });
  });

  it.each([
    ["the agent's image", "", "/spec/containers/0/image", "registry.example.com/shell"],
    ["the courier's image", "", "/spec/initContainers/0/image", "registry.example.com/shell"],
    ["its resources", "resize", "/spec/containers/0/resources/requests/cpu", "64"],
  ])("keeps %s, for every user", async (_name, subresource, path, value) => {
    const pod = await aPod(namespace, "acme-1a2b-sandbox-1");
    const options = subresource === "" ? {} : { subresource };
    for (const client of [alice, operator, broker, responder]) {
      const change = client.jsonPatch(pods, pod, [{ op: "replace", path, value }], options);
      await refused(change, "bellhop-sandbox-containers", /nobody may change the containers of a sandbox/);
    }
  });

  it("still accepts labels, finalizers and status updates; images of other pods can be changed", async () => {
    const pod = await aPod(namespace, "acme-1a2b-sandbox-1");
    const metadata = { labels: { team: "shop" }, finalizers: ["bellhop.dev/harvest"] };
    await expect(operator.mergePatch(pods, pod, { metadata })).resolves.toMatchObject({ metadata });
    const status = { message: "as a kubelet would say" };
    await expect(operator.mergePatch(pods, pod, { status }, { subresource: "status" })).resolves.toMatchObject({
      status,
    });
    await operator.mergePatch(pods, pod, { metadata: { finalizers: null } });
    const other = await aPod(namespace, "web-0");
    await expect(alice.jsonPatch(pods, other, anotherImage)).resolves.toMatchObject({
      spec: { containers: [{ image: "registry.example.com/next" }] },
    });
  });

  it.each(connects)("is the only pod that is protected: %s into other pods stays allowed", async (subresource) => {
    const pod = await aPod(namespace, "web-sandbox-1-proxy");
    await passedAdmission(connectTo(alice, pod, subresource));
  });
});

describe("the accounts ConfigMap", () => {
  const key = { namespace: release.namespace, name: "bellhop-accounts" };

  it("gives nobody access to sandboxes if it names no break-glass group, not even members of a group with an empty name", async () => {
    await withAccounts({ breakGlassGroup: "" }, async () => {
      const pod = await aPod(namespace, "acme-1a2b-sandbox-1");
      const nobody = await world.as("dave", ["developers"]);
      await eventually(() => isRefused(connectTo(nobody, pod, "exec")), { describe: "the group to be taken away" });
      const carol = await world.as("carol", ["developers", breakGlass]);
      await eventually(() => isRefused(connectTo(carol, pod, "exec")), { describe: "the group to be taken away" });
    });
  });

  it("makes the policies refuse every matching request while it is missing, including exec into any pod", async () => {
    const before = await world.admin.get(configMaps, key);
    await world.admin.delete(configMaps, key);
    try {
      await eventually(() => failsWithoutAccounts(create(gateway, aPersonsTask(namespace), { dryRun: true })), {
        describe: "the gateway to be refused without accounts",
      });
      // The server looks for parameters before it checks whether the policy matches (README of the chart).
      for (const name of ["acme-1a2b-sandbox-1", "web-0"]) {
        const pod = await aPod(namespace, name);
        await eventually(() => failsWithoutAccounts(connectTo(alice, pod, "exec")), {
          describe: `exec into ${name} to be refused without accounts`,
        });
      }
    } finally {
      await world.admin.create(configMaps, { metadata: key, data: before.data ?? {} });
      await policiesInForce();
    }
  });

  async function withAccounts(data: Record<string, string>, body: () => Promise<void>): Promise<void> {
    const before = await world.admin.get(configMaps, key);
    await world.admin.mergePatch(configMaps, key, { data });
    try {
      await body();
    } finally {
      await world.admin.mergePatch(configMaps, key, { data: before.data ?? {} });
      await policiesInForce();
    }
  }
});

function create(client: KubeClient, draft: Draft<AgentTask>, options: { dryRun?: boolean } = {}): Promise<AgentTask> {
  return client.create(AgentTaskKind, draft, options);
}

function writeStatus(client: KubeClient, key: { namespace: string; name: string }, patch: object): Promise<AgentTask> {
  return client.mergePatch(AgentTaskKind, key, patch, { subresource: "status" });
}

function connectTo(client: KubeClient, key: { namespace: string; name: string }, subresource: string): Promise<object> {
  return client.createSubresource(pods, key, subresource, {});
}

async function aPod(inNamespace: string, name: string): Promise<{ namespace: string; name: string }> {
  const resources = { requests: { cpu: "100m" } };
  const containers = [{ name: "agent", image: "registry.example.com/agent", resources }];
  const initContainers = [{ name: "courier", image: "registry.example.com/courier", restartPolicy: "Always" }];
  await world.admin.create(pods, {
    metadata: { name, namespace: inNamespace },
    spec: { initContainers, containers, automountServiceAccountToken: false },
  });
  return { namespace: inNamespace, name };
}

/** Expects that this policy refuses the request with this text, because another failure would prove nothing about the policy. */
async function refused(promise: Promise<unknown>, policyName: string, words: RegExp): Promise<void> {
  const error = await failureOf(promise);
  expect(error).toMatchObject({ status: 403 });
  expect(String(error)).toContain(`ValidatingAdmissionPolicy '${policyName}'`);
  expect(String(error)).toMatch(words);
}

/** The pod has no node: the request fails after admission, with a status other than 403. */
async function passedAdmission(promise: Promise<unknown>): Promise<void> {
  const error = await failureOf(promise);
  expect(String(error)).not.toContain("ValidatingAdmissionPolicy");
  expect(error).toMatchObject({ status: expect.toSatisfy((status: number) => status !== 403) });
}

async function isRefused(promise: Promise<unknown>): Promise<boolean> {
  const error = await failureOf(promise);
  return error instanceof ApiError && error.status === 403;
}

/** The server's message for `parameterNotFoundAction: Deny`. */
async function failsWithoutAccounts(promise: Promise<unknown>): Promise<boolean> {
  const error = await failureOf(promise);
  return error instanceof ApiError && error.message.includes("no params found for policy binding");
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "it did not fail",
    (error: unknown) => error,
  );
}

/** Waits until the API server has compiled each policy and seen its parameters. */
async function policiesInForce(): Promise<void> {
  const at = await aNamespace(world.admin, "probe");
  const carol = await world.as("carol", [breakGlass]);
  const task = await eventually(() => create(gateway, aPersonsTask(at, { command: "stop" })), {
    describe: "the gateway to be trusted",
  });
  const pod = await aPod(at, "probe-sandbox-1");
  const forgeries = {
    source: () => create(alice, aPersonsTask(at, { command: "stop" }), { dryRun: true }),
    cancel: () => create(gateway, aPersonsTask(at, { cancel: { by: "x" } }), { dryRun: true }),
    status: () => writeStatus(alice, task.metadata, { status: { phase: "Failed" } }),
    sandbox: () => connectTo(alice, pod, "exec"),
    containers: () => alice.jsonPatch(pods, pod, anotherImage, { dryRun: true }),
  };
  for (const [name, forge] of Object.entries(forgeries)) {
    await eventually(() => isRefused(forge()), { describe: `the policy on ${name} to be in force` });
  }
  await eventually(async () => !(await isRefused(connectTo(carol, pod, "exec"))), {
    describe: "the break-glass group",
  });
  await eventually(async () => !(await isRefused(writeStatus(operator, task.metadata, { status: {} }))), {
    describe: "the operator's account",
  });
}

/** Gives all rights to everybody, so that only a policy can refuse a request. */
async function allowEverything(client: KubeClient): Promise<void> {
  const bindings: ResourceType<KubeObject & { roleRef: object; subjects: object[] }> = {
    group: "rbac.authorization.k8s.io",
    version: "v1",
    kind: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    namespaced: false,
  };
  const apiGroup = "rbac.authorization.k8s.io";
  await client.create(bindings, {
    metadata: { name: "everybody-everything" },
    roleRef: { apiGroup, kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ apiGroup, kind: "Group", name: "system:authenticated" }],
  });
}
