import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentProfileKind, AgentTaskKind, GitHubIntegrationKind, type AgentTask } from "../../../src/api/kinds.ts";
import { agentProfileSpec } from "../../../src/api/agent-profile.ts";
import { gitHubIntegrationSpec } from "../../../src/api/github-integration.ts";
import { connect } from "../../../src/kube/config.ts";
import { secrets } from "../../../src/kube/resources.ts";
import type { KubeConnection } from "../../../src/kube/types.ts";
import { startControlPlane, type ControlPlane } from "../../cluster/control-plane.ts";
import { installCrds } from "../../cluster/crds.ts";
import { startDaemon, type Daemon } from "../../cluster/daemon.ts";
import { aNamespace, eventually } from "../../cluster/namespace.ts";
import { freePort } from "../../cluster/ports.ts";
import { startProcessNode, type ProcessNode } from "../../cluster/process-node.ts";
import { startGitHub, type GitHubStandIn } from "../../providers/github/index.ts";
import { populate } from "../../providers/github/testing.ts";

const checkout = join(import.meta.dirname, "..", "..", "..");

/** The three processes of an installation. */
export type Part = "gateway" | "operator" | "broker";

/** A whole installation on this machine: control plane, process node, GitHub, and our processes, each one of its own. */
export interface World {
  controlPlane: ControlPlane;
  client: KubeConnection;
  github: GitHubStandIn;
  node: ProcessNode;
  /** The namespace of the team, with an integration `shop` and a profile `default`. */
  namespace: string;
  brokerNamespace: string;
  parts: Record<Part, Daemon>;
  /** Starts a process again, as after a crash or an upgrade. */
  start(part: Part): Promise<void>;
  /** Changes the profile's spec. */
  profile(spec: object): Promise<void>;
  /** Every task of the team. */
  tasks(): Promise<AgentTask[]>;
  /** Waits until the only task (or the one that `which` picks) is as wanted. */
  task(
    wanted: (task: AgentTask) => boolean,
    describe: string,
    which?: (task: AgentTask) => boolean,
  ): Promise<AgentTask>;
  /** The ends of all logs, for messages of failed tests. */
  logs(): string;
  close(): Promise<void>;
}

/** An agent of test/agents, as a command. */
export function agent(script: string, ...args: string[]): string[] {
  return ["/bin/sh", join(checkout, "test", "agents", script), ...args];
}

/** Starts a world; close it in the end. Takes about 15 s. */
export async function startWorld(options: { profile?: object } = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "bellhop-journey-"));
  const [controlPlane, github] = await Promise.all([
    startControlPlane(),
    startGitHub({ webhookTimeoutMs: 10_000 } as object),
  ]);
  const { client } = await connect({ kubeconfig: controlPlane.kubeconfigPath });
  await installCrds(client);
  const [own, brokerNamespace, namespace] = await Promise.all(
    ["bellhop", "bellhop-broker", "team"].map((name) => aNamespace(client, name)),
  );
  if (!own || !brokerNamespace || !namespace) throw new Error("namespaces");
  await populate(github);
  await github.people.createUser({ login: "bob" });
  await github.people.setPermission({ repo: "acme/shop", login: "bob", role: "write" });
  const caFile = join(folder, "github-ca.pem");
  await writeFile(caFile, github.ca ?? "");
  const [gatewayPort, gatewayProbes, brokerPort, brokerProbes, operatorProbes] = await Promise.all(
    [1, 2, 3, 4, 5].map(() => freePort()),
  );
  const common = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    KUBECONFIG: controlPlane.kubeconfigPath,
    LOG_LEVEL: "debug",
    BELLHOP_HOST: "127.0.0.1",
    BELLHOP_CA_FILE: caFile,
    BELLHOP_ALLOWED_HOSTS: "127.0.0.1",
  };
  const environments: Record<Part, Record<string, string>> = {
    gateway: {
      ...common,
      BELLHOP_NAMESPACE: own,
      BELLHOP_PORT: String(gatewayPort),
      BELLHOP_PROBE_PORT: String(gatewayProbes),
      BELLHOP_DRAIN_MS: "100",
    },
    broker: {
      ...common,
      BELLHOP_NAMESPACE: brokerNamespace,
      BELLHOP_PORT: String(brokerPort),
      BELLHOP_PROBE_PORT: String(brokerProbes),
      BELLHOP_ISOLATION: "process",
    },
    operator: {
      ...common,
      BELLHOP_NAMESPACE: own,
      BELLHOP_PROBE_PORT: String(operatorProbes),
      BELLHOP_EXTERNAL_URL: `http://127.0.0.1:${gatewayPort}`,
      BELLHOP_GATEWAY_ADDRESSES: `127.0.0.1:${gatewayProbes}`,
      BELLHOP_BROKER_NAMESPACE: brokerNamespace,
      BELLHOP_BROKER_URL: `https://127.0.0.1:${brokerPort}`,
      BELLHOP_SANDBOX_BACKEND: "process",
      BELLHOP_ALLOW_NOT_ISOLATED: "true",
      BELLHOP_IMAGE: "bellhop:test",
    },
  };
  const start = (part: Part): Promise<Daemon> =>
    startDaemon({
      command: process.execPath,
      args: [join(checkout, "src", part, "main.ts")],
      logFile: join(folder, `${part}.log`),
      env: environments[part],
    });
  const node = await startProcessNode({ kubeconfigPath: controlPlane.kubeconfigPath });
  const parts = { gateway: await start("gateway"), broker: await start("broker"), operator: await start("operator") };
  const world: World = {
    controlPlane,
    client,
    github,
    node,
    namespace,
    brokerNamespace,
    parts,
    async start(part) {
      parts[part] = await start(part);
    },
    async profile(spec) {
      const current = await client.get(AgentProfileKind, { namespace, name: "default" });
      await client.replace(AgentProfileKind, { ...current, spec: profileSpec(spec) });
    },
    tasks: async () => (await client.list(AgentTaskKind, { namespace })).items,
    async task(wanted, describe, which = () => true) {
      let last: AgentTask | undefined;
      try {
        await eventually(
          async () => {
            last = (await world.tasks()).find((task) => which(task));
            return last !== undefined && wanted(last);
          },
          { describe, timeoutMs: 60_000 },
        );
      } catch (error) {
        throw new Error(`${String(error)}\nlast seen: ${JSON.stringify(last?.status, undefined, 1)}\n${world.logs()}`, {
          cause: error,
        });
      }
      if (!last) throw new Error("no task");
      return last;
    },
    logs: () =>
      Object.entries(parts)
        .map(([name, daemon]) => `--- ${name}\n${daemon.tail(25)}`)
        .join("\n"),
    async close() {
      await Promise.all(Object.values(parts).map((daemon) => daemon.stop(3_000)));
      await node.stop();
      await github.close();
      await client.close();
      await controlPlane.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await integrate(world, options.profile ?? {});
  } catch (error) {
    const logs = world.logs();
    await world.close();
    throw new Error(`${String(error)}\n${logs}`, { cause: error });
  }
  return world;
}

function profileSpec(spec: object) {
  return agentProfileSpec.parse({
    agent: { type: "custom", image: "agent:test", command: agent("demo.sh") },
    ...spec,
  });
}

async function integrate({ client, github, namespace }: World, profile: object): Promise<void> {
  const app = github.app("bellhop");
  await client.create(secrets, {
    metadata: {
      name: "github-app",
      namespace,
      annotations: { "bellhop.dev/allowed-for": `GitHubIntegration/${new URL(github.url).host}` },
    },
    stringData: { key: app.privateKey },
  });
  await client.create(AgentProfileKind, { metadata: { name: "default", namespace }, spec: profileSpec(profile) });
  await client.create(GitHubIntegrationKind, {
    metadata: { name: "shop", namespace },
    spec: gitHubIntegrationSpec.parse({
      url: github.url,
      organization: "acme",
      credentials: { app: { appId: app.id, privateKeySecretRef: { name: "github-app", key: "key" } } },
      webhook: { takeOver: true },
      profileRef: { name: "default" },
      triggers: [
        { name: "mention", mention: {} },
        { name: "label", label: { name: "bellhop" } },
        { name: "checks", failedChecks: {} },
      ],
      reporting: { updateEvery: "1s" },
    }),
  });
  let last: unknown;
  await eventually(
    async () => {
      const { status } = await client.get(GitHubIntegrationKind, { namespace, name: "shop" });
      last = status?.conditions;
      return status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;
    },
    { describe: "the integration to be Ready", timeoutMs: 30_000 },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${JSON.stringify(last, undefined, 1)}`, { cause: error });
  });
}
