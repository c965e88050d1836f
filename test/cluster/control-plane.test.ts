import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connect } from "../../src/kube/config.ts";
import { configMaps, namespaces } from "../../src/kube/resources.ts";
import type { KubeConnection } from "../../src/kube/types.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { installCrds } from "./crds.ts";
import { aNamespace, eventually } from "./namespace.ts";

/** A separate control plane, because these tests break it. */
let own: ControlPlane;
let client: KubeConnection;

beforeAll(async () => {
  own = await startControlPlane();
  ({ client } = await connect({ kubeconfig: own.kubeconfigPath }));
});
afterAll(async () => {
  await client?.close();
  await own?.stop();
});

describe("startControlPlane", () => {
  it("keeps its objects and its port when the API server is stopped and started", async () => {
    const namespace = await aNamespace(client);
    await client.create(configMaps, { metadata: { name: "kept", namespace }, data: { answer: "42" } });
    await own.stopApiServer();
    await expect(client.get(configMaps, { name: "kept", namespace })).rejects.toMatchObject({ status: 0 });
    await own.startApiServer();
    expect((await client.get(configMaps, { name: "kept", namespace })).data).toEqual({ answer: "42" });
  });

  it("runs beside another without sharing objects", async () => {
    const { client: sharedClient } = await connect({ kubeconfig: inject("kubeconfigPath") });
    const namespace = await aNamespace(client);
    expect(await sharedClient.find(namespaces, { name: namespace })).toBeUndefined();
    await sharedClient.close();
  });

  it("gives a service account's certificate only the rights of RBAC", async () => {
    const namespace = await aNamespace(client);
    const kubeconfig = await own.kubeconfigFor(`system:serviceaccount:${namespace}:default`);
    const { client: restricted } = await connect({ kubeconfig });
    await expect(restricted.list(configMaps, { namespace })).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining(`system:serviceaccount:${namespace}:default`) as string,
    });
    await restricted.close();
  });

  it("enforces a ValidatingAdmissionPolicy", async () => {
    const name = "no-forbidden-maps";
    const admission = { group: "admissionregistration.k8s.io", version: "v1", namespaced: false };
    const policies = { ...admission, kind: "ValidatingAdmissionPolicy", plural: "validatingadmissionpolicies" };
    const bindings = {
      ...admission,
      kind: "ValidatingAdmissionPolicyBinding",
      plural: "validatingadmissionpolicybindings",
    };
    const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] };
    const policy = {
      metadata: { name },
      spec: {
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: "object.metadata.name != 'forbidden'", message: "that name is taken" }],
      },
    };
    await client.create(policies, policy);
    const binding = { metadata: { name }, spec: { policyName: name, validationActions: ["Deny"] } };
    await client.create(bindings, binding);
    const namespace = await aNamespace(client);
    const refusal = await eventually(
      async () => {
        const created = client.create(configMaps, { metadata: { name: "forbidden", namespace } }, { dryRun: true });
        return created.then(
          () => undefined,
          (error: unknown) => error,
        );
      },
      { describe: "the policy to be enforced" },
    );
    expect(refusal).toMatchObject({ message: expect.stringContaining("that name is taken") as string });
  });

  it("reports why a daemon did not start, with the end of its log", async () => {
    await expect(startControlPlane({ apiServerArgs: ["--no-such-flag"] })).rejects.toThrow(
      /kube-apiserver exited with code 1.*unknown flag: --no-such-flag/s,
    );
  });

  it("serves our resources after their CRDs were installed, once or twice", async () => {
    await Promise.all([installCrds(client), installCrds(client)]);
    const tasks = { group: "bellhop.dev", version: "v1alpha1", kind: "AgentTask", plural: "agenttasks" };
    expect((await client.list({ ...tasks, namespaced: true })).items).toEqual([]);
  });

  it("rejects `stop` if a daemon had died before", async () => {
    const other = await startControlPlane();
    const pids = other.pids();
    process.kill(pids[0]!, "SIGKILL");
    await eventually(() => other.pids().length < 2, { describe: "etcd to be gone" });
    await expect(other.stop()).rejects.toThrow(/etcd was ended by SIGKILL/);
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
