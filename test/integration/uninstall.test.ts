import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { names } from "../../src/api/annotations.ts";
import { GitHubIntegrationKind, type GitHubIntegration } from "../../src/api/github-integration.ts";
import { AgentTaskKind, type AgentTask } from "../../src/api/kinds.ts";
import { secretName } from "../../src/controllers/agent-task/broker-secrets.ts";
import { deployments, pods, secrets, serviceAccounts, type Pod } from "../../src/kube/resources.ts";
import type { Draft, KubeObject, ResourceType } from "../../src/kube/types.ts";
import { FakeClock } from "../../src/shared/fake-clock.ts";
import { crds, generatedCrds } from "../cluster/crds.ts";
import { aNamespace, eventually } from "../cluster/namespace.ts";
import { tool } from "../cluster/node/tools.ts";
import { applyAll, release, renderUninstall } from "./chart-world.ts";
import { anUninstallWorld, type UninstallWorld } from "./uninstall-world.ts";

let world: UninstallWorld;
let namespace: string;
beforeAll(async () => {
  world = await anUninstallWorld();
});
afterAll(() => world?.stop());
beforeEach(async () => {
  namespace = await aNamespace(world.admin, "uninstall");
});

const finalizersOf = async <T extends KubeObject>(type: ResourceType<T>, { metadata }: T): Promise<string[]> =>
  (await world.admin.get(type, metadata)).metadata.finalizers ?? [];
const isGone = async <T extends KubeObject>(type: ResourceType<T>, { metadata }: T): Promise<boolean> =>
  (await world.admin.find(type, metadata)) === undefined;

describe("the clean-up before an uninstall", () => {
  it("stops gateway and operator, and changes nothing before their pods are gone", async () => {
    const operator = await world.installed();
    const task = await world.aTask(namespace, "task");
    let looks = 0;
    const list: typeof world.account.list = (type, options) => {
      if (type.plural === pods.plural) looks += 1;
      return world.account.list(type, options);
    };
    const { done, log } = world.run({ client: { ...world.account, list } });
    await eventually(() => looks > 1, { describe: "a second look at the pods" });
    for (const name of ["bellhop-gateway", "bellhop-operator"]) {
      expect(await world.admin.find(deployments, { name, namespace: release.namespace })).toBeUndefined();
    }
    expect(await finalizersOf(AgentTaskKind, task)).toEqual([names.finalizer]);
    await world.admin.delete(pods, operator.metadata);
    expect(await done).toEqual([]);
    expect(await finalizersOf(AgentTaskKind, task)).toEqual([]);
    expect(log).toContainEqual(expect.objectContaining({ message: "gateway and operator have stopped" }));
    expect(log).toContainEqual(expect.objectContaining({ message: "finalizers removed", kind: "AgentTask", count: 1 }));
  });

  it("continues after 90 s if a pod does not end, and names the pod", async () => {
    const operator = await world.installed();
    const task = await world.aTask(namespace, "task");
    const clock = new FakeClock();
    const { done, log } = world.run({ clock });
    let over = false;
    void done.then(() => (over = true));
    await eventually(
      async () => {
        if (!over) await clock.advance(500);
        return over;
      },
      { describe: "the end of the clean-up", everyMs: 1 },
    );
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(90_000);
    expect(await done).toEqual([]);
    expect(log).toContainEqual(
      expect.objectContaining({
        pods: [operator.metadata.name],
        message: expect.stringMatching(/did not end in time/),
      }),
    );
    expect(await finalizersOf(AgentTaskKind, task)).toEqual([]);
    await world.admin.delete(pods, operator.metadata);
  });

  it("ends running sandboxes, keeps ended ones, and makes both deletable", async () => {
    const [working, over] = [await world.aTask(namespace, "working"), await world.aTask(namespace, "over")];
    const running = await world.aSandbox(working, "Running");
    const ended = await world.aSandbox(over, "Succeeded");
    const { ownerReferences: _, finalizers: _ours, ...metadata } = ended.metadata;
    const foreign = await world.admin.create(pods, {
      metadata: { name: "foreign", namespace, labels: metadata.labels ?? {}, finalizers: ["example.com/held"] },
      spec: ended.spec ?? { containers: [] },
    });
    const { done, log } = world.run();
    expect(await done).toEqual([]);
    expect(await isGone(pods, running)).toBe(true);
    expect(await finalizersOf(pods, ended)).toEqual([]);
    expect(await world.admin.get(pods, foreign.metadata)).toEqual(foreign);
    expect(log).toContainEqual(expect.objectContaining({ message: "sandboxes ended", count: 1 }));
  });

  it("removes our finalizer from more objects than one page has, and keeps other finalizers", async () => {
    const many = Array.from({ length: 230 }, (_, at) => `task-${at}`);
    await Promise.all(many.map((name) => world.aTask(namespace, name)));
    const held = await world.aTask(namespace, "held", ["example.com/held", names.finalizer]);
    const integration = await world.anIntegration(namespace, true);
    const { done, log } = world.run();
    expect(await done).toEqual([]);
    const { items } = await world.admin.list(AgentTaskKind, { namespace });
    expect(items).toHaveLength(231);
    expect(items.flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual(["example.com/held"]);
    expect(await finalizersOf(AgentTaskKind, held)).toEqual(["example.com/held"]);
    expect(await finalizersOf(GitHubIntegrationKind, integration)).toEqual([]);
    expect(log).toContainEqual(
      expect.objectContaining({ message: "webhooks stay at the provider", integrations: [`${namespace}/github`] }),
    );
    await world.admin.mergePatch(AgentTaskKind, held.metadata, { metadata: { finalizers: null } });
    const again = world.run();
    expect(await again.done).toEqual([]);
    expect(again.log).toContainEqual(expect.objectContaining({ kind: "AgentTask", count: 0 }));
  });
});

describe("the tokens of running tasks", () => {
  let integration: GitHubIntegration;
  let task: AgentTask;
  const stored = () => world.admin.find(secrets, { name: secretName(task), namespace: release.brokerNamespace });
  const newest = () => world.github.tokens().findLast(({ permissions }) => permissions["contents"] === "read");
  beforeEach(async () => {
    integration = await world.anIntegration(namespace, false);
    task = await world.aTask(namespace, "with-token");
    await world.aToken(task, integration);
    expect(newest()).toMatchObject({ revoked: false });
  });

  it("are revoked at the provider", async () => {
    const { done, log } = world.run();
    expect(await done).toEqual([]);
    expect(newest()).toMatchObject({ revoked: true });
    expect(await stored()).toBeUndefined();
    expect(log).toContainEqual(expect.objectContaining({ message: "tokens revoked", count: 1 }));
  });

  it("delay the uninstall for at most 30 s if the provider does not answer", async () => {
    const silence = world.github.fail({ path: "/installation/token" }, { kind: "slow", delayMs: 600_000 });
    const clock = new FakeClock();
    const { done, log } = world.run({ clock });
    await eventually(() => silence.hits > 0, { describe: "the token to be revoked" });
    await clock.advance(30_000);
    expect(await done).toEqual([]);
    world.github.clearFailures();
    expect(log).toContainEqual(
      expect.objectContaining({ level: "warn", message: "tokens revoked", failed: 1, why: "no answer within 30 s" }),
    );
    expect(await finalizersOf(AgentTaskKind, task)).toEqual([]);
    await world.admin.delete(secrets, (await stored())?.metadata ?? { name: "" });
  });
});

describe("its pod", () => {
  it("passes Pod Security `restricted`", async () => {
    const job = renderUninstall().find(({ kind }) => kind === "Job") as KubeObject & { spec: { template: Pod } };
    // The broker's namespace enforces `restricted`.
    const metadata = { name: "bellhop-uninstall", namespace: release.brokerNamespace };
    await world.admin.create(serviceAccounts, { metadata });
    const { spec } = job.spec.template;
    const pod: Draft<Pod> = { metadata, ...(spec && { spec }) };
    await expect(world.admin.create(pods, pod, { dryRun: true })).resolves.toBeDefined();
    const open = { ...pod, spec: { containers: [], ...spec, securityContext: { runAsUser: 0 } } };
    await expect(world.admin.create(pods, open, { dryRun: true })).rejects.toThrow(/PodSecurity/);
  });
});

describe("its process", () => {
  const main = join(import.meta.dirname, "../../src/operator/uninstall/main.ts");
  const start = async (kubeconfig: string): Promise<{ code: number; stdout: string; stderr: string }> => {
    const env = {
      PATH: process.env["PATH"],
      KUBECONFIG: kubeconfig,
      BELLHOP_NAMESPACE: release.namespace,
      BELLHOP_BROKER_NAMESPACE: release.brokerNamespace,
      BELLHOP_RELEASE: release.name,
    };
    try {
      return { code: 0, ...(await promisify(execFile)(process.execPath, [main], { env })) };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  };
  /** Another user with all rights of the account except one. */
  const withoutRight = async (user: string, resource: string, verb: string): Promise<string> => {
    const apiGroup = "rbac.authorization.k8s.io";
    const rules = renderUninstall()
      .flatMap((object) => (object as { rules?: { resources: string[]; verbs: string[] }[] }).rules ?? [])
      .map((rule) =>
        rule.resources.includes(resource) ? { ...rule, verbs: rule.verbs.filter((each) => each !== verb) } : rule,
      );
    const metadata = { name: user };
    const roleRef = { apiGroup, kind: "ClusterRole", name: user };
    const subjects = [{ apiGroup, kind: "User", name: user }];
    await applyAll(world.admin, [
      { apiVersion: `${apiGroup}/v1`, kind: "ClusterRole", metadata, rules } as KubeObject,
      { apiVersion: `${apiGroup}/v1`, kind: "ClusterRoleBinding", metadata, roleRef, subjects } as KubeObject,
    ]);
    return world.kubeconfigFor(user);
  };

  it("ends with 0 if every step succeeded", async () => {
    const task = await world.aTask(namespace, "task");
    const { code, stdout, stderr } = await start(await withoutRight("whole", "", ""));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/"kind":"AgentTask","count":\d+,"message":"finalizers removed"/);
    expect(await finalizersOf(AgentTaskKind, task)).toEqual([]);
  });

  it("does the other steps if one fails, and prints commands that remove the rest", async () => {
    const integration = await world.anIntegration(namespace, false);
    const task = await world.aTask(namespace, "task");
    const kubeconfig = await withoutRight("weak", "githubintegrations", "patch");
    const { code, stdout, stderr } = await start(kubeconfig);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /"problems":\["finalizers removed \(GitHubIntegration\): \d+ failed, the first: .*is forbidden/,
    );
    expect(await finalizersOf(AgentTaskKind, task)).toEqual([]);
    expect(await finalizersOf(GitHubIntegrationKind, integration)).toEqual([names.finalizer]);
    expect(stderr).toContain("helm uninstall bellhop --namespace bellhop-system --no-hooks\n");
    const commands = stderr.slice(stderr.indexOf("  kubectl get "));
    const path = `${join(tool("kubectl"), "..")}:${process.env["PATH"]}`;
    execFileSync("sh", ["-ec", commands], { env: { ...process.env, PATH: path, KUBECONFIG: world.kubeconfigPath } });
    expect(await finalizersOf(GitHubIntegrationKind, integration)).toEqual([]);
  });

  it("leaves nothing that prevents the deletion of CRDs", async () => {
    await Promise.all([world.aTask(namespace, "task"), world.anIntegration(namespace, true)]);
    expect((await start(await withoutRight("whole", "", ""))).code).toBe(0);
    for (const crd of await generatedCrds()) await world.admin.delete(crds, crd.metadata);
    for (const crd of await generatedCrds()) {
      await eventually(() => isGone(crds, crd), { describe: `${crd.metadata.name} to be gone` });
    }
    // A second run has nothing to do and succeeds: it completes an uninstall that was started before.
    expect((await start(await withoutRight("whole", "", ""))).code).toBe(0);
  });
});
