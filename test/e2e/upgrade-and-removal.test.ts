import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { names } from "../../src/api/annotations.ts";
import { kinds as crdKinds, type AgentTask } from "../../src/api/kinds.ts";
import { until } from "../cluster/node/wait.ts";
import type { RunResult } from "../cluster/node/index.ts";
import { isReported } from "../demo/follow.ts";
import type { NodePlace } from "../demo/node-place.ts";
import { release } from "../demo/release.ts";
import { root, shellBlocks, textOf } from "../docs.ts";
import { skipWhereLacking } from "../needs.ts";
import { earlierChart, earlierCommit, newField } from "./earlier-chart.ts";
import { agentRuns, ask, processesWith, reported, startPlace, taskWhere } from "./journey-place.ts";
import { onNode } from "./on-node.ts";

const chartReadme = "charts/bellhop/README.md";
const resources = "agenttasks,githubintegrations";
const removal = shellBlocks("README.md", "## Remove it");
const [, uninstall = "", deleteCrds = ""] = removal.map((block) => block.split("\n")[0]);
const earlier = earlierChart();

describe("an installation from its upgrade to its removal, on a real node", () => {
  let place: NodePlace;
  let done: AgentTask;
  let values: string;

  beforeAll(
    onNode(async () => {
      place = await startPlace({ name: "removal", ...(earlier !== undefined && { chart: earlier }) });
      const { task } = await ask(place, "Say hello in the README");
      done = await reported(place, task);
      values = await helm("get", "values", release.name, "--namespace", release.namespace, "-o", "json");
    }),
  );
  afterAll(async () => {
    await place?.close();
    if (earlier !== undefined) rmSync(earlier, { recursive: true, force: true });
  });

  /** Runs shell commands in the checkout, exactly as documented; `more` adds variables, for example another person's kubeconfig. */
  const shell = (commands: string, more: NodeJS.ProcessEnv = {}): Promise<RunResult> =>
    place.node.exec(["bash", "-ec", commands], {
      timeoutMs: 280_000,
      env: { ...more, PWD: root },
      cwd: root,
    });
  const succeeds = async (commands: string, more?: NodeJS.ProcessEnv): Promise<string> => {
    const { code, stdout, stderr } = await shell(commands, more);
    expect(code, `${commands}\n${stdout}\n${stderr}`).toBe(0);
    return stdout;
  };
  const helm = (...args: string[]): Promise<string> => succeeds(["helm", ...args].join(" "));
  const installAgain = async (): Promise<string> => {
    // The broker's namespace is deleted after helm has ended.
    const broker = `kubectl wait --for=delete namespace/${release.brokerNamespace} --timeout=120s`;
    await succeeds(broker);
    const file = join(place.node.folder, "values.json");
    writeFileSync(file, values);
    return helm(
      `install ${release.name} charts/bellhop --namespace ${release.namespace} --create-namespace --values ${file} --wait --timeout 3m`,
    );
  };
  const finalizers = (): Promise<string> =>
    place.kubectl(["get", resources, "-A", "-o", "jsonpath={.items[*].metadata.finalizers[*]}"]);
  /** Waits until this number of objects has the operator's finalizer. */
  const held = (count: number): Promise<unknown> => {
    const all = Array.from({ length: count }, () => names.finalizer).join(" ");
    return until(async () => (await finalizers()) === all, { what: `${count} finalizers`, timeoutMs: 60_000 });
  };
  const leftovers = async (kinds: string, ...more: string[]): Promise<string[]> =>
    (await place.kubectl(["get", kinds, "-o", "name", ...more])).split("\n").filter((name) => /bellhop/.test(name));

  it("is upgraded from an earlier chart as documented, including its CRDs", async (context) => {
    const lacks = `there is no commit ${earlierCommit} here, which a shallow clone has not`;
    skipWhereLacking(context, earlier === undefined ? lacks : undefined);
    const [upgrade = "", handOver = ""] = shellBlocks(chartReadme, "## Upgrade");
    const fieldOf = `kubectl get crd agenttasks.bellhop.dev -o jsonpath='{..status.properties.${newField}.type}'`;
    expect(await succeeds(fieldOf)).toBe("");
    const refused = await shell(upgrade);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("Transfer them to this release once, then repeat your command:");
    const printed = refused.stderr.split("\n").filter((line) => line.startsWith("  kubectl "));
    expect(printed.map((line) => line.trim().split(" ").slice(0, 2).join(" "))).toEqual([
      "kubectl annotate",
      "kubectl label",
    ]);

    await succeeds(handOver);
    await succeeds(upgrade);
    expect(await succeeds(fieldOf)).toBe("string");
    const live = await place.api<AgentTask>(
      `/apis/bellhop.dev/v1alpha1/namespaces/${place.namespace}/agenttasks/${done.metadata.name}`,
    );
    expect(live).toMatchObject({ metadata: { uid: done.metadata.uid }, status: { phase: "Succeeded" } });
    const owner = "jsonpath={.items[*].metadata.annotations.meta\\.helm\\.sh/release-name}";
    const owners = await place.kubectl(["get", "crd", "-o", owner]);
    expect(owners.split(" ")).toEqual(crdKinds.map(() => "bellhop"));
    await succeeds(upgrade);
    await succeeds(`kubectl rollout status deployment --namespace ${release.namespace} --timeout=120s`);
  });

  it("shows the logs of the leading operator with the documented command", async () => {
    const [command = ""] = shellBlocks("docs/operations.md", "## Inspect")
      .flatMap((block) => block.split("\n"))
      .filter((line) => line.includes("holderIdentity"));
    await until(async () => (await shell(command)).stdout.includes('"message":"controllers have started"'), {
      what: "a leader that says so",
      timeoutMs: 60_000,
    });
  });

  it("is uninstalled while an agent works: no finalizer of ours is left, and no resources of teams are deleted", async () => {
    await agentRuns(place, "/bin/sh", "/agents/hostile.sh", "hang");
    const { task } = await ask(place, "Never end");
    await taskWhere(place, task, "running", ({ status }) => status?.phase === "Running");
    const agents = (): number[] => processesWith("/agents/hostile.sh", "hang");
    await until(() => agents().length > 0, { what: "the agent's process", timeoutMs: 60_000 });
    const revoked = async (): Promise<number> =>
      (await place.remembered<{ method: string; path: string; status: number }[]>("/requests")).filter(
        ({ method, path, status }) => method === "DELETE" && path === "/installation/token" && status === 204,
      ).length;
    const before = await revoked();

    const { code, stdout, stderr } = await shell(uninstall);
    expect(code, stderr).toBe(0);
    // Helm shows the Job's output in a line of its own log.
    const said = `${stdout}${stderr}`.replaceAll("\\", "");
    expect(said).toContain(`"integrations":["${place.namespace}/github"]`);
    expect(said).toContain("webhooks stay at the provider");
    expect(await revoked()).toBe(before + 1);
    expect(await finalizers()).toBe("");
    expect(await leftovers(resources, "-n", place.namespace)).toHaveLength(3);
    await until(() => agents().length === 0, { what: "the end of the agent", timeoutMs: 30_000 });
    expect(await place.kubectl(["get", "pods", "-A", "-l", `${names.task}=${task}`, "-o", "name"])).toBe("");
    // All objects of the hook were removed.
    expect(await leftovers("clusterroles,clusterrolebindings")).toEqual([]);
    expect(await leftovers("jobs,serviceaccounts,roles,rolebindings", "-n", release.namespace)).toEqual([]);
    await succeeds(`kubectl delete agenttask ${done.metadata.name} --namespace ${place.namespace} --timeout=60s`);
  });

  it("continues with the existing resources after a reinstall", async () => {
    await installAgain();
    await held(2);
    await succeeds(
      `kubectl wait --namespace ${place.namespace} --for=condition=Ready --timeout=90s githubintegration/github`,
    );
    const tasks = await place.api<{ items: AgentTask[] }>(
      `/apis/bellhop.dev/v1alpha1/namespaces/${place.namespace}/agenttasks`,
    );
    const lost = await taskWhere(place, tasks?.items[0]?.metadata.name ?? "", "reported", isReported);
    expect(lost.status?.conditions).toContainEqual(
      expect.objectContaining({ type: "Succeeded", reason: "SandboxLost" }),
    );
  });

  it("accepts the samples from an ordinary administrator of a namespace", async () => {
    const kubeconfig = await anAdministratorOf("samples");
    await succeeds("kubectl apply -f config/samples", { KUBECONFIG: kubeconfig });
    const [, command = ""] = /^#\s+(sed .*)$/m.exec(textOf("config/samples/task/agent-task.yaml")) ?? [];
    await succeeds(command.replace("--namespace team", ""), { KUBECONFIG: kubeconfig });
    await held(5);
  });

  it("allows tasks, integrations and CRDs to be deleted after the uninstall", async () => {
    await succeeds(uninstall);
    await succeeds(`kubectl delete ${resources} --all --all-namespaces --timeout=60s`);
    await succeeds(`${deleteCrds} --timeout=60s`);
    expect(await leftovers("crd")).toEqual([]);
  });

  it("is removed step by step as documented, and leaves nothing behind", async () => {
    await installAgain();
    // Not the sample whose provider does not exist here: the deletion of its integration would take ten minutes.
    await succeeds("kubectl apply --namespace samples -f config/samples/github-app.yaml");
    await held(1);
    for (const step of removal) await succeeds(step);
    const kinds =
      "crd,namespaces,clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings";
    await until(async () => (await leftovers(kinds)).length === 0, { what: "nothing of ours left", timeoutMs: 60_000 });
    expect(await leftovers("roles,rolebindings", "-A")).toEqual([]);
  });

  /** Creates a kubeconfig for a person who is `admin` in this namespace only. It is the default namespace of the kubeconfig. */
  const anAdministratorOf = async (namespace: string): Promise<string> => {
    const file = join(place.node.folder, `${namespace}.kubeconfig`);
    await succeeds(`
      kubectl create namespace ${namespace}
      kubectl create serviceaccount carol --namespace ${namespace}
      kubectl create rolebinding carol --clusterrole=admin --serviceaccount=${namespace}:carol --namespace ${namespace}
      cp "$KUBECONFIG" ${file} && export KUBECONFIG=${file}
      token=$(kubectl create token carol --namespace ${namespace})
      kubectl config set-credentials carol --token="$token"
      kubectl config set-context --current --user=carol --namespace=${namespace}`);
    return file;
  };
});
