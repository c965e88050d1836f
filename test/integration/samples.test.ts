import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GitHubIntegrationKind } from "../../src/api/github-integration.ts";
import { parseAllDocuments } from "yaml";
import { AgentTaskKind } from "../../src/api/kinds.ts";
import { namespaces } from "../../src/kube/resources.ts";
import type { KubeObject } from "../../src/kube/types.ts";
import { eventually } from "../cluster/namespace.ts";
import { tool } from "../cluster/node/tools.ts";
import { root, textOf } from "../docs.ts";
import { aClusterWithChart, applyAll, type ChartWorld } from "./chart-world.ts";
import { aPersonsTask } from "./task-samples.ts";

/** A user name from single sign-on, which is less simple than `carol`. */
const carol = "https://login.example.com/acme#carol@example.com";
const team = "team";

let world: ChartWorld;
let kubeconfig: string;
beforeAll(async () => {
  world = await aClusterWithChart();
  await world.admin.create(namespaces, { metadata: { name: team } });
  await applyAll(world.admin, adminOf(team, carol));
  kubeconfig = await world.kubeconfigFor(carol);
  const client = await world.as(carol);
  const forgery = aPersonsTask(team, {}, "somebody-else");
  const refused = () => client.create(AgentTaskKind, forgery, { dryRun: true }).then(() => "", String);
  await eventually(async () => /spec\.actor\.login must be you/.test(await refused()), {
    describe: "the policies to be in force",
  });
});
afterAll(() => world?.stop());

/** Runs a documented command as carol, in the checkout. */
function asCarol(command: string): string {
  const env = { ...process.env, PATH: `${dirname(tool("kubectl"))}:${process.env["PATH"]}`, KUBECONFIG: kubeconfig };
  return execFileSync("bash", ["-eo", "pipefail", "-c", command], { cwd: root, env, encoding: "utf8", stdio: "pipe" });
}

describe("the samples, applied by an ordinary administrator of a namespace", () => {
  it("are accepted unchanged, and a second time", () => {
    const command = `kubectl apply --namespace ${team} -f config/samples`;
    expect(textOf("README.md")).toContain(command);
    const files = readdirSync(join(root, "config/samples")).filter((file) => file.endsWith(".yaml"));
    const objects = files.flatMap((file) => parseAllDocuments(textOf(`config/samples/${file}`)));
    expect(asCarol(command).trim().split("\n")).toHaveLength(objects.length);
    expect(asCarol(command)).not.toMatch(/created/);
  });

  it("include a command that creates the task in the administrator's own name", async () => {
    const [, command = ""] = /^#\s+(sed .*)$/m.exec(textOf("config/samples/task/agent-task.yaml")) ?? [];
    expect(asCarol(command)).toBe("agenttask.bellhop.dev/enterprise-tidy-readme created\n");
    const task = await world.admin.get(AgentTaskKind, { namespace: team, name: "enterprise-tidy-readme" });
    expect(task.spec.actor).toEqual({ id: "", login: carol });
    const { name } = task.spec.integrationRef;
    const integration = await world.admin.get(GitHubIntegrationKind, { namespace: team, name });
    expect(integration.spec.access.kubernetes).toBe("Allow");
  });

  it("are refused without this command", () => {
    const command = `kubectl create --namespace ${team} -f config/samples/task/agent-task.yaml`;
    expect(() => asCarol(command)).toThrow(/spec\.actor\.login must be you: https:\/\/login\.example\.com/);
  });
});

/** The built-in role `admin` as a controller manager would aggregate it: the chart's rules, and Secrets. */
function adminOf(namespace: string, user: string): KubeObject[] {
  const apiGroup = "rbac.authorization.k8s.io";
  const ours = world.objects.filter(({ metadata }) => /^bellhop-(view|edit|admin)$/.test(metadata.name));
  const rules = [
    ...ours.flatMap((role) => (role as { rules?: object[] }).rules ?? []),
    { apiGroups: [""], resources: ["secrets"], verbs: ["get", "create", "update", "patch"] },
  ];
  const metadata = { name: "admin-of-team", namespace };
  const roleRef = { apiGroup, kind: "Role", name: metadata.name };
  const subjects = [{ apiGroup, kind: "User", name: user }];
  return [
    { apiVersion: `${apiGroup}/v1`, kind: "Role", metadata, rules } as KubeObject,
    { apiVersion: `${apiGroup}/v1`, kind: "RoleBinding", metadata, roleRef, subjects } as KubeObject,
  ];
}
