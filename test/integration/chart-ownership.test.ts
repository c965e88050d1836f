import { execFileSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AgentTaskKind } from "../../src/api/kinds.ts";
import { connect } from "../../src/kube/config.ts";
import { namespaces } from "../../src/kube/resources.ts";
import type { KubeConnection, KubeObject } from "../../src/kube/types.ts";
import { type ControlPlane, startControlPlane } from "../cluster/control-plane.ts";
import { crds, crdsEstablished, generatedCrds } from "../cluster/crds.ts";
import { aNamespace } from "../cluster/namespace.ts";
import { tool } from "../cluster/node/tools.ts";
import { applyAll, chart, helm } from "./chart-world.ts";
import { aPersonsTask } from "./task-samples.ts";

type Rbac = KubeObject & Record<string, unknown>;

/** A separate control plane, because helm installs the whole chart on it repeatedly. */
let plane: ControlPlane;
let admin: KubeConnection;
beforeAll(async () => {
  plane = await startControlPlane();
  admin = (await connect({ kubeconfig: plane.kubeconfigPath })).client;
});
afterAll(async () => {
  await admin?.close();
  await plane?.stop();
});
/** No controller deletes namespaces here, so each test uses a release with another name. */
let first: { name: string; namespace: string };
let number = 0;
beforeEach(() => {
  number += 1;
  first = { name: `first-${number}`, namespace: `one-${number}` };
  // Transfers the policies that the previous test left, with the commands of the refusal. The API server needs them (policy-parameters.yaml).
  if (number > 1) handOver(first, policies);
});
afterEach(async () => {
  for (const { name, namespace } of releases()) uninstall(name, namespace);
  kubectl(["delete", "crd", ...(await crdNames()), "--ignore-not-found"]);
  // The API server retries the deletion of a CRD with a growing back-off: minutes on a busy machine.
}, 600_000);

const image = ["--set", "image.repository=registry.example.com/bellhop"];
const on = (): string[] => ["--kubeconfig", plane.kubeconfigPath];
const install = ({ name, namespace }: typeof first, ...more: string[]): string =>
  helm("install", name, chart, ...on(), "--namespace", namespace, "--create-namespace", ...image, ...more);
const upgrade = ({ name, namespace }: typeof first, ...more: string[]): string =>
  helm("upgrade", name, chart, ...on(), "--namespace", namespace, ...image, ...more);
/** Uninstalls without the hook, which needs a node. */
const uninstall = (name: string, namespace: string): string =>
  helm("uninstall", name, ...on(), "--namespace", namespace, "--no-hooks");
const releases = (): { name: string; namespace: string }[] =>
  JSON.parse(helm("list", ...on(), "-A", "-o", "json")) as { name: string; namespace: string }[];

function kubectl(args: string[], input = ""): string {
  const env = { ...process.env, KUBECONFIG: plane.kubeconfigPath };
  return execFileSync(tool("kubectl"), args, { encoding: "utf8", env, input, stdio: ["pipe", "pipe", "pipe"] });
}

const policies = ["", "binding"].map((part) => `validatingadmissionpolicy${part}/bellhop-policy-parameters`);
function handOver({ name, namespace }: typeof first, objects: string[]): void {
  const owner = [`meta.helm.sh/release-name=${name}`, `meta.helm.sh/release-namespace=${namespace}`];
  kubectl(["annotate", "--overwrite", ...objects, ...owner]);
}

/** Runs helm; returns its message if it refuses. */
function refusal(attempt: () => string): string {
  try {
    attempt();
  } catch (error) {
    return String((error as { stderr?: string }).stderr ?? error);
  }
  throw new Error("helm refused nothing");
}

/** Runs the commands in a refusal's message, exactly as they are. */
function followAdvice(words: string): void {
  const commands = words.split("\n").filter((line) => line.startsWith("  kubectl "));
  expect(commands).toHaveLength(2);
  for (const command of commands) kubectl(command.trim().split(" ").slice(1));
}

async function crdNames(): Promise<string[]> {
  return (await generatedCrds()).map(({ metadata }) => metadata.name);
}

/** Which releases own the CRDs, by helm's annotation. */
async function ownersOfCrds(): Promise<(string | undefined)[]> {
  const live = await Promise.all((await crdNames()).map((name) => admin.get(crds, { name })));
  return [...new Set(live.map(({ metadata }) => metadata.annotations?.["meta.helm.sh/release-name"]))];
}

describe("a second release", () => {
  it("is refused with instructions, whatever its flags are", () => {
    install(first);
    const { name, namespace } = first;
    for (const more of [[], ["--take-ownership"], ["--set", "crds.install=false"]]) {
      for (const at of [`two-${number}`, namespace]) {
        const words = refusal(() => install({ name: "second", namespace: at }, ...more));
        expect(words).toContain(`Bellhop is already installed as release "${name}" in namespace "${namespace}".`);
        expect(words).toContain(`helm upgrade ${name} … --namespace ${namespace}\n`);
        expect(words).toContain(`helm uninstall ${name} --namespace ${namespace}\n`);
      }
    }
    expect(releases()).toMatchObject([first]);
    expect(upgrade(first)).toMatch(/REVISION: 2/);
  });

  it("is installed after the first is gone and its objects were transferred with the commands of the refusal", async () => {
    install(first);
    await crdsEstablished(admin);
    const task = await admin.create(AgentTaskKind, aPersonsTask(await aNamespace(admin, "kept"), {}, "admin"));
    uninstall(first.name, first.namespace);
    const second = { name: `second-${number}`, namespace: `two-${number}` };
    const words = refusal(() => install(second));
    expect(words).toContain(
      `These objects are in the cluster and do not belong to release "${second.name}" in namespace "${second.namespace}": `,
    );
    followAdvice(words);
    expect(words).toMatch(/then repeat your command:/);
    install(second);
    expect(await ownersOfCrds()).toEqual([second.name]);
    expect((await admin.get(AgentTaskKind, task.metadata)).metadata.uid).toBe(task.metadata.uid);
    expect(upgrade(second)).toMatch(/REVISION: 2/);
  });

  it("needs no transfer if it has the name and namespace of the first", () => {
    install(first);
    uninstall(first.name, first.namespace);
    const again = refusal(() => install(first));
    // The broker's namespace is still terminating, because no controller deletes it here. Nothing else prevents the install.
    expect(again).toMatch(/namespace \S+-broker because it is being terminated/);
  });
});

describe("CRDs that were applied by other means", () => {
  /** Applies an earlier version, without short names, as kubectl or a GitOps tool does. */
  const applyEarlier = async (): Promise<void> => {
    const items = (await generatedCrds()).map((crd) => {
      const { names } = crd.spec as { names: object };
      return { ...crd, spec: { ...crd.spec, names: { ...names, shortNames: [] } } };
    });
    kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    await crdsEstablished(admin);
  };
  const shortNames = async (): Promise<unknown[]> => {
    const { spec } = await admin.get(crds, { name: "agenttasks.bellhop.dev" });
    return (spec as { names: { shortNames?: string[] } }).names.shortNames ?? [];
  };

  it("are not changed if `crds.install` is false", async () => {
    await applyEarlier();
    install(first, "--set", "crds.install=false");
    expect(upgrade(first, "--set", "crds.install=false")).toMatch(/REVISION: 2/);
    expect(await ownersOfCrds()).toEqual([undefined]);
    expect(await shortNames()).toEqual([]);
  });

  it("are transferred with the commands of the refusal, and upgraded from then on", async () => {
    await applyEarlier();
    const words = refusal(() => install(first));
    expect(words).toMatch(/ crd\/agenttasks\.bellhop\.dev .*\n.*applied by other means/);
    expect(words).toMatch(/set crds\.install=false instead/);
    followAdvice(words);
    expect(words).toMatch(/then repeat your command with --force-conflicts:/);
    install(first, "--force-conflicts");
    expect(await ownersOfCrds()).toEqual([first.name]);
    expect(await shortNames()).toEqual(["at"]);
    expect(upgrade(first)).toMatch(/REVISION: 2/);
  });
});

describe("an installer without the right to read the chart's objects", () => {
  it("gets an error that names the missing right", async () => {
    await admin.create(namespaces, { metadata: { name: "installer" } });
    const apiGroup = "rbac.authorization.k8s.io";
    const rules = [
      { apiGroups: ["*"], resources: ["*"], verbs: ["create", "update", "patch", "delete", "list", "watch"] },
      { apiGroups: [""], resources: ["*"], verbs: ["get"] },
    ];
    const metadata = { name: "blind-installer" };
    const role: Rbac = { apiVersion: `${apiGroup}/v1`, kind: "ClusterRole", metadata, rules };
    const binding: Rbac = {
      apiVersion: `${apiGroup}/v1`,
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: { apiGroup, kind: "ClusterRole", name: metadata.name },
      subjects: [{ apiGroup, kind: "User", name: "blind" }],
    };
    await applyAll(admin, [role, binding]);
    const blind = await plane.kubeconfigFor("blind");
    const words = refusal(() => helm("install", "b", chart, "--kubeconfig", blind, "-n", "installer", ...image));
    expect(words).toMatch(/clusterroles.* "bellhop-operator" is forbidden: User "blind" cannot get resource/);
  });
});
