import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { installCrds } from "../../../test/cluster/crds.ts";
import { aNamespace, eventually } from "../../../test/cluster/namespace.ts";
import { AgentTaskKind } from "../../api/kinds.ts";
import { connect } from "../../kube/config.ts";
import { configMaps, namespaces, networkPolicies, pods, type NetworkPolicy, type Pod } from "../../kube/resources.ts";
import { createStore, type WritableStore } from "../../kube/store.ts";
import type { KubeConnection, KubeObject, ObjectKey, ResourceType } from "../../kube/types.ts";
import { systemClock } from "../../shared/clock.ts";
import { BellhopError } from "../../shared/errors.ts";
import type { SandboxProvider, SandboxRequest } from "../provider.ts";
import { aSandboxRequest, aSandboxTask, sandboxSettings } from "../testing.ts";
import { policyIndexes } from "./foreign-policy.ts";
import { podProvider } from "./index.ts";
import type { InstallationFacts } from "./settings.ts";

const signal = AbortSignal.timeout(120_000);
let client: KubeConnection;
let namespace: string;
let sandboxes: SandboxProvider;
let installation: Partial<InstallationFacts>;
/** Objects that the informers would have cached. */
let known: { pods: WritableStore<Pod>; policies: WritableStore<NetworkPolicy> };

beforeAll(async () => {
  ({ client } = await connect({ kubeconfig: inject("kubeconfigPath") }));
  await installCrds(client);
});
afterAll(() => client.close());
beforeEach(async () => {
  namespace = await aNamespace(client, "pods");
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await client.mergePatch(namespaces, { name: namespace }, { metadata: { labels } });
  known = { pods: createStore(), policies: createStore(policyIndexes) };
  installation = sandboxSettings();
  sandboxes = podProvider({
    client,
    pods: known.pods,
    networkPolicies: known.policies,
    settings: sandboxSettings(),
    installation: () => installation,
    clock: systemClock,
  });
});

async function look(): Promise<void> {
  known.pods.replaceAll((await client.list(pods, { namespace })).items);
  known.policies.replaceAll((await client.list(networkPolicies, { namespace })).items);
}

async function aRequest(name = "github-abc"): Promise<SandboxRequest> {
  const { spec } = aSandboxTask();
  const task = await client.create(AgentTaskKind, { metadata: { name, namespace }, spec });
  return aSandboxRequest({ task });
}

const podKey = (attempt = 1): ObjectKey => ({ namespace, name: `github-abc-sandbox-${attempt}` });

const quotas: ResourceType<KubeObject & { spec: object; status?: object }> = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  namespaced: true,
};

/** A quota with the status that its controller would write; no controller runs here. */
async function noPods(): Promise<void> {
  const hard = { pods: "0" };
  const quota = await client.create(quotas, { metadata: { name: "none", namespace }, spec: { hard } });
  await client.replaceStatus(quotas, { ...quota, status: { hard, used: { pods: "0" } } });
}

function asBellhopError(error: unknown): BellhopError {
  if (error instanceof BellhopError) return error;
  throw error;
}

describe("a sandbox on a real API server", () => {
  it("passes Pod Security `restricted`, and is created with its context and its network policy", async () => {
    const request = await aRequest();
    const { podUID } = await sandboxes.ensure(request, signal);
    const pod = await client.get(pods, podKey());
    expect(pod.metadata).toMatchObject({ uid: podUID, finalizers: ["bellhop.dev/harvest"] });
    for (const [type, name] of [
      [configMaps, "github-abc-context-1"],
      [networkPolicies, "github-abc-sandbox"],
    ] as const) {
      const made = await client.get(type, { namespace, name });
      expect(made.metadata.ownerReferences).toMatchObject([{ uid: request.task.metadata.uid }]);
    }
  });

  it("waits until the operator has found every fact about the installation, and names the missing one", async () => {
    const request = await aRequest();
    installation = {};
    const failure = { code: "InstallationNotReady", retryable: true };
    const messageOf = (missing: string): unknown => expect.stringContaining(`without ${missing}`);
    const first = { ...failure, message: messageOf("the certificate authority") };
    await expect(sandboxes.ensure(request, signal)).rejects.toMatchObject(first);
    installation = { caCertificate: "-----BEGIN CERTIFICATE-----" };
    const second = { ...failure, message: messageOf("the cluster IP of the broker's Service") };
    await expect(sandboxes.ensure(request, signal)).rejects.toMatchObject(second);
    expect(await client.find(configMaps, { namespace, name: "github-abc-context-1" }, signal)).toBeUndefined();
  });

  it("is adopted if it already exists, so that a restarted operator creates no second pod", async () => {
    const request = await aRequest();
    const first = await sandboxes.ensure(request, signal);
    expect(await sandboxes.ensure(request, signal)).toEqual(first);
    expect((await client.list(pods, { namespace })).items).toHaveLength(1);
  });

  it("is not adopted if another task owns it", async () => {
    const request = await aRequest();
    const other = await aRequest("github-xyz");
    await sandboxes.ensure(
      { ...request, task: { ...request.task, metadata: { ...other.task.metadata, name: "github-abc" } } },
      signal,
    );
    await expect(sandboxes.ensure(request, signal)).rejects.toMatchObject({ code: "PodNameTaken" });
    await look();
    expect(sandboxes.observe(request.task, 1)).toEqual({ state: "Missing" });
  });

  it("waits for quota, and is refused without a retry for a permanent reason", async () => {
    const request = await aRequest();
    await noPods();
    let attempt = 0;
    const refused = await eventually(
      () => sandboxes.ensure({ ...request, attempt: ++attempt }, signal).then(() => false, asBellhopError),
      { describe: "the quota to be in force" },
    );
    expect(refused).toMatchObject({ code: "QuotaExceeded", retryable: true });
    const { spec } = request.profile;
    const profile = {
      ...request.profile,
      spec: { ...spec, sandbox: { ...spec.sandbox, runtimeClassName: "No Name" } },
    };
    await client.delete(quotas, { namespace, name: "none" });
    await expect(sandboxes.ensure({ ...request, profile, attempt: 16 }, signal)).rejects.toMatchObject({
      code: "PodRefused",
      retryable: false,
    });
  });

  it("is kept until its result was read, and then removed", async () => {
    const request = await aRequest();
    await sandboxes.ensure(request, signal);
    await sandboxes.remove(request.task, 1, 0, signal);
    expect((await client.get(pods, podKey())).metadata.deletionTimestamp).toBeDefined();
    await sandboxes.harvested(request.task, 1, signal);
    await eventually(async () => (await client.find(pods, podKey())) === undefined, { describe: "the pod to go" });
    await sandboxes.remove(request.task, 1, 0, signal);
    await sandboxes.harvested(request.task, 1, signal);
  });

  it("is refused and stopped if a NetworkPolicy allows egress, also one with our own name", async () => {
    const request = await aRequest();
    await sandboxes.ensure(request, signal);
    await look();
    expect(sandboxes.observe(request.task, 1)).toMatchObject({ state: "Pending" });
    const open = { podSelector: {}, policyTypes: ["Egress"], egress: [{}] };
    await client.create(networkPolicies, { metadata: { name: "theirs", namespace }, spec: open });
    await look();
    expect(sandboxes.observe(request.task, 1)).toMatchObject({
      state: "Broken",
      reason: "ForeignNetworkPolicy",
      retryable: false,
      message: expect.stringContaining(`${namespace}/theirs`) as string,
    });
    await expect(sandboxes.ensure({ ...request, attempt: 2 }, signal)).rejects.toMatchObject({ code: "PodRefused" });
    await client.delete(networkPolicies, { namespace, name: "theirs" });
    const ours = { namespace, name: "github-abc-sandbox" };
    await client.mergePatch(networkPolicies, ours, { spec: { egress: [{}] } });
    await look();
    expect(sandboxes.observe(request.task, 1)).toMatchObject({ state: "Broken", reason: "ForeignNetworkPolicy" });
  });

  it("is isolated while our NetworkPolicy is unchanged, even if the cache does not show it yet", async () => {
    const request = await aRequest();
    const ours = { namespace, name: "github-abc-sandbox" };
    const isClosed = (): Promise<boolean> => sandboxes.closed(request.task, signal);
    await sandboxes.ensure(request, signal);
    expect(await isClosed()).toBe(true);
    await look();
    expect(await isClosed()).toBe(true);
    await client.mergePatch(networkPolicies, ours, { spec: { podSelector: { matchLabels: { some: "others" } } } });
    await look();
    expect(await isClosed()).toBe(false);
    await expect(sandboxes.ensure({ ...request, attempt: 2 }, signal)).rejects.toMatchObject({ code: "PodRefused" });
    await client.delete(networkPolicies, ours);
    await look();
    expect(await isClosed()).toBe(false);
    await sandboxes.ensure({ ...request, attempt: 2 }, signal);
    expect(await isClosed()).toBe(true);
  });
});
