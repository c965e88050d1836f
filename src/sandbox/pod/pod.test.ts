import { describe, expect, it } from "vitest";
import { aProfile, aSandboxRequest, sandboxSettings } from "../testing.ts";
import { buildContext } from "./context-config-map.ts";
import { buildNetworkPolicy } from "./network-policy.ts";
import { buildPod } from "./pod.ts";

const pod = buildPod(aSandboxRequest(), sandboxSettings());
const every = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];

describe("buildPod", () => {
  it("gives no container a service account token, a service's variables or a name server", () => {
    expect(pod.spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      dnsPolicy: "None",
      dnsConfig: { nameservers: ["127.0.0.1"] },
    });
  });

  it("gives every container the security context that Pod Security `restricted` requires, with a read-only root", () => {
    for (const { securityContext } of every) {
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      });
    }
  });

  it("runs courier and agent as different users of one group, without a shared process namespace", () => {
    const [, courier, agent] = every;
    expect(courier?.securityContext?.runAsUser).not.toBe(agent?.securityContext?.runAsUser);
    expect(courier?.securityContext?.runAsGroup).toBe(agent?.securityContext?.runAsGroup);
    expect(pod.spec?.shareProcessNamespace).toBe(false);
  });

  it("checks out as the agent's user, and gives the agent no volume that only the checkout needs", () => {
    const [checkout, , agent] = every;
    expect(checkout?.securityContext?.runAsUser).toBe(agent?.securityContext?.runAsUser);
    const seen = (container = agent): string[] =>
      (container?.volumeMounts ?? []).filter(({ readOnly }) => readOnly !== true).map(({ name }) => name);
    expect(seen(checkout).filter((name) => seen().includes(name))).toEqual(["workspace"]);
  });

  it("mounts `in` read-only for the agent, and not the token, the context or the courier's volume", () => {
    const agent = pod.spec?.containers[0];
    expect(agent?.volumeMounts?.map(({ name }) => name).toSorted()).toEqual(["home", "in", "out", "tmp", "workspace"]);
    expect(agent?.volumeMounts?.find(({ name }) => name === "in")?.readOnly).toBe(true);
  });

  it("mounts the volumes that the agent writes read-only for the courier", () => {
    const courier = pod.spec?.initContainers?.[1];
    const readOnly = courier?.volumeMounts?.filter((mount) => mount.readOnly).map(({ name }) => name);
    expect(readOnly).toEqual(expect.arrayContaining(["out", "workspace"]));
  });

  it("binds the token to the broker's audience", () => {
    expect(pod.spec?.volumes?.find(({ name }) => name === "token")).toMatchObject({
      projected: { sources: [{ serviceAccountToken: { audience: "bellhop-broker" } }] },
    });
  });

  it("puts no text of a person and no secret into an environment variable", () => {
    const request = aSandboxRequest({ prompt: "the-words-of-a-person", context: "the-context" });
    const text = JSON.stringify(buildPod(request, sandboxSettings()));
    expect(text).not.toContain("the-words-of-a-person");
    expect(text).not.toContain("the-context");
  });

  it("runs the agent's own command as arguments of the entry script", () => {
    expect(pod.spec?.containers[0]?.command).toEqual(["/bin/sh", "/bellhop/in/entry.sh", "fix", "--all"]);
  });

  it("has a host alias for the broker on a cluster, and none on the process node", () => {
    expect(pod.spec?.hostAliases).toEqual([{ ip: "10.96.0.20", hostnames: ["bellhop-broker.bellhop.svc"] }]);
    const process_ = buildPod(aSandboxRequest(), sandboxSettings({ backend: "process" }));
    expect(process_.spec?.hostAliases).toBeUndefined();
    expect(process_.spec?.schedulerName).toBe("bellhop-process");
  });

  it("ends by itself when the wall clock and the publish budget have passed", () => {
    expect(pod.spec?.activeDeadlineSeconds).toBe(180);
  });

  it("has the profile's volumes under separate names, config maps always read-only", () => {
    const profile = aProfile({
      sandbox: { volumes: [{ name: "in", mountPath: "/opt/rules", configMap: { name: "rules" } }] },
    });
    const built = buildPod(aSandboxRequest({ profile }), sandboxSettings());
    expect(built.spec?.containers[0]?.volumeMounts).toContainEqual({
      name: "profile-in",
      mountPath: "/opt/rules",
      readOnly: true,
    });
  });

  it("has a finalizer until its result is read", () => {
    expect(pod.metadata.finalizers).toEqual(["bellhop.dev/harvest"]);
  });
});

describe("buildContext", () => {
  it("is immutable and owned by the task", () => {
    const context = buildContext(aSandboxRequest(), sandboxSettings());
    expect(context.immutable).toBe(true);
    expect(context.metadata.ownerReferences?.[0]).toMatchObject({
      kind: "AgentTask",
      uid: "task-uid",
      controller: true,
    });
    expect(Object.keys(context.data ?? {}).toSorted()).toEqual(["ca.crt", "context.md", "prompt.md", "sandbox.json"]);
  });
});

describe("buildNetworkPolicy", () => {
  it("denies all ingress, and all egress except to the broker's pods and port", () => {
    const policy = buildNetworkPolicy(aSandboxRequest().task, sandboxSettings());
    expect(policy.spec?.ingress).toEqual([]);
    expect(policy.spec?.egress).toEqual([
      {
        to: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "bellhop" } },
            podSelector: { matchLabels: { "app.kubernetes.io/component": "broker" } },
          },
        ],
        ports: [{ protocol: "TCP", port: 8443 }],
      },
    ]);
  });

  it("selects every attempt of the task", () => {
    const policy = buildNetworkPolicy(aSandboxRequest().task, sandboxSettings());
    const selector = policy.spec?.podSelector?.matchLabels ?? {};
    expect(pod.metadata.labels).toMatchObject(selector);
    expect(selector).not.toHaveProperty(["bellhop.dev/attempt"]);
  });
});
