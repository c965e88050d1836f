import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { names } from "../../src/api/annotations.ts";
import {
  gitHubIntegrationSpec,
  GitHubIntegrationKind,
  type GitHubIntegration,
} from "../../src/api/github-integration.ts";
import { AgentTaskKind, type AgentTask } from "../../src/api/kinds.ts";
import { createTaskCredentials } from "../../src/controllers/agent-task/broker-secrets.ts";
import { integrationHandle } from "../../src/controllers/integration-handle.ts";
import { connector } from "../../src/integrations/github/connect.ts";
import { github as provider } from "../../src/integrations/github/index.ts";
import { createHttp } from "../../src/integrations/http.ts";
import type { Provider } from "../../src/integrations/provider.ts";
import { pods, secrets, type Pod } from "../../src/kube/resources.ts";
import type { KubeConnection } from "../../src/kube/types.ts";
import { cleanUp } from "../../src/operator/uninstall/clean-up.ts";
import { type Clock, systemClock } from "../../src/shared/clock.ts";
import { createLogger, silentLogger } from "../../src/shared/log.ts";
import { ownedBy } from "../../src/sandbox/pod/pod.ts";
import { sandboxLabels } from "../../src/sandbox/pod/names.ts";
import { type GitHubStandIn, startGitHub } from "../providers/github/index.ts";
import { accounts, aClusterWithChart, applyAll, type ChartWorld, release, renderUninstall } from "./chart-world.ts";
import { aPersonsTask } from "./task-samples.ts";

/** A cluster with the chart and the account of the clean-up but without Bellhop's processes, and a GitHub with the App `bellhop` on `acme/shop`. */
export interface UninstallWorld extends ChartWorld {
  github: GitHubStandIn;
  /** The clean-up's own client. */
  account: KubeConnection;
  /** Creates the Deployments again, with one pod of the operator, as on a node. */
  installed(): Promise<Pod>;
  /** A task with the operator's finalizer. */
  aTask(namespace: string, name: string, finalizers?: string[]): Promise<AgentTask>;
  /** An integration with the App's key, and with a webhook if `hooks` is set. */
  anIntegration(namespace: string, hooks: boolean): Promise<GitHubIntegration>;
  /** A sandbox of a task, in a phase. */
  aSandbox(task: AgentTask, phase: "Running" | "Succeeded"): Promise<Pod>;
  /** Mints a fetch token of a task, as the operator does, and stores it for the broker. */
  aToken(task: AgentTask, integration: GitHubIntegration): Promise<void>;
  /** Runs the clean-up. */
  run(options?: { clock?: Clock; client?: KubeConnection }): {
    done: Promise<string[]>;
    log: Record<string, unknown>[];
  };
}

/** The provider without its pauses between writes. */
const served: Provider = { ...provider, connect: connector({ throttle: false }) };
const signal = AbortSignal.timeout(600_000);

/** Starts it; stop it in the end. */
export async function anUninstallWorld(): Promise<UninstallWorld> {
  const world = await aClusterWithChart();
  const { github, repository } = await aGitHub();
  const alice = await world.as("alice", ["system:masters"]);
  const folder = mkdtempSync(join(tmpdir(), "bellhop-uninstall-test-"));
  const caFile = join(folder, "ca.crt");
  writeFileSync(caFile, github.ca ?? "");
  const http = createHttp({ caFile, allowedHosts: ["127.0.0.1"], clock: systemClock, log: silentLogger });
  await applyAll(
    world.admin,
    renderUninstall().filter(({ kind }) => kind !== "Job"),
  );
  const account = await world.as(accounts.uninstall);
  return {
    ...world,
    github,
    account,
    ...objects({ ...world, alice, github, repository }),
    async aToken(task, integration) {
      const { admin: client } = world;
      const deps = { client, namespace: release.namespace, clock: systemClock, log: silentLogger, fetch: http.fetch };
      const { codeHost } = await integrationHandle(deps, served, integration).connect();
      if (!codeHost) throw new Error("GitHub is no code host");
      const keeper = createTaskCredentials({ ...deps, kube: client, brokerNamespace: release.brokerNamespace });
      await keeper.ensureFetch(task, codeHost, signal);
    },
    run({ clock = systemClock, client = account } = {}) {
      const log: Record<string, unknown>[] = [];
      const write = (line: string): void => void log.push(JSON.parse(line) as Record<string, unknown>);
      const deps = { client, clock, fetch: http.fetch, log: createLogger("uninstall", { write }) };
      const { namespace, brokerNamespace } = release;
      return { done: cleanUp({ ...deps, providers: [served], namespace, brokerNamespace }, signal), log };
    },
    async stop() {
      await Promise.all([world.stop(), github.close(), http.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Repository = AgentTask["spec"]["repository"] & object;

async function aGitHub(): Promise<{ github: GitHubStandIn; repository: Repository }> {
  const github = await startGitHub();
  const { people } = github;
  await people.createUser({ login: "ana" });
  await people.createOrg({ login: "acme", members: { ana: "admin" } });
  const { id } = await people.createRepo({ repo: "acme/shop", files: { "README.md": "# It\n" } });
  await people.createApp({ slug: "bellhop", owner: "acme" });
  await people.installApp({ app: "bellhop", on: "acme" });
  const { host } = new URL(github.url);
  return { github, repository: { id: String(id), host, owner: "acme", name: "shop" } };
}

/** This pod never runs: there is no kubelet. */
const podSpec = (serviceAccountName: string): NonNullable<Pod["spec"]> => ({
  serviceAccountName,
  automountServiceAccountToken: false,
  containers: [{ name: "main", image: "registry.example.com/bellhop" }],
});

type Objects = Pick<UninstallWorld, "installed" | "aTask" | "anIntegration" | "aSandbox">;
type Given = ChartWorld & { alice: KubeConnection; github: GitHubStandIn; repository: Repository };

function objects({ admin, alice, objects: chart, github, repository }: Given): Objects {
  const { host } = repository;
  return {
    async installed() {
      await applyAll(
        admin,
        chart.filter(({ kind }) => kind === "Deployment"),
      );
      const labels = { "app.kubernetes.io/name": "bellhop", "app.kubernetes.io/component": "operator" };
      const metadata = { name: `operator-${randomUUID()}`, namespace: release.namespace, labels };
      return admin.create(pods, { metadata, spec: podSpec("bellhop-operator") });
    },
    aTask(namespace, name, finalizers = [names.finalizer]) {
      const integrationRef = { kind: "GitHubIntegration", name: "github" } as const;
      const draft = aPersonsTask(namespace, { integrationRef, repository });
      return alice.create(AgentTaskKind, { ...draft, metadata: { ...draft.metadata, name, finalizers } });
    },
    async anIntegration(namespace, hooks) {
      const { id, privateKey } = github.app("bellhop");
      const annotations = { [names.allowedFor]: `GitHubIntegration/${host}` };
      const data = { key: Buffer.from(privateKey).toString("base64") };
      await admin.create(secrets, { metadata: { name: "app", namespace, annotations }, data });
      const spec = gitHubIntegrationSpec.parse({
        url: github.url,
        organization: "acme",
        credentials: { app: { appId: id, privateKeySecretRef: { name: "app", key: "key" } } },
        triggers: [{ name: "mention", mention: {} }],
        profileRef: { name: "default" },
      });
      const metadata = { name: "github", namespace, finalizers: [names.finalizer] };
      const made = await admin.create(GitHubIntegrationKind, { metadata, spec });
      const status: GitHubIntegration["status"] = { hooks: [{ target: "app" }] };
      return hooks ? admin.replaceStatus(GitHubIntegrationKind, { ...made, status }) : made;
    },
    async aSandbox(task, phase) {
      const { name, namespace } = task.metadata;
      const metadata = {
        name: `${name}-sandbox-1`,
        namespace,
        labels: sandboxLabels(name, 1),
        finalizers: [names.harvest],
        ownerReferences: [ownedBy(task)],
      };
      const made = await admin.create(pods, { metadata, spec: podSpec("default") });
      return admin.replaceStatus(pods, { ...made, status: { phase } });
    },
  };
}
