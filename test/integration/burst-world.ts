import { randomUUID, createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { agentProfileSpec } from "../../src/api/agent-profile.ts";
import { GitHubIntegrationKind, gitHubIntegrationSpec } from "../../src/api/github-integration.ts";
import { AgentProfileKind, AgentTaskKind, type AgentTask } from "../../src/api/kinds.ts";
import { createOutages } from "../../src/controllers/integration/outages.ts";
import { createHttp } from "../../src/integrations/http.ts";
import { providers } from "../../src/integrations/registry.ts";
import type { Provider } from "../../src/integrations/provider.ts";
import { connect } from "../../src/kube/config.ts";
import { createEventRecorder } from "../../src/kube/events.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import { secrets } from "../../src/kube/resources.ts";
import type { KubeConnection, Store } from "../../src/kube/types.ts";
import { readConfig } from "../../src/operator/config.ts";
import { createControllers } from "../../src/operator/controllers.ts";
import { createInformers } from "../../src/operator/informers.ts";
import { FakeClock } from "../../src/shared/fake-clock.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/shared/log.ts";
import { installCrds } from "../cluster/crds.ts";
import { aNamespace } from "../cluster/namespace.ts";
import { startGitHub, type GitHubStandIn } from "../providers/github/index.ts";

/** An operator in this process, with an API server and GitHub. The clock of the provider's pace stands still: each App may send one write. */
export interface BurstWorld {
  client: KubeConnection;
  github: GitHubStandIn;
  tasks: Store<AgentTask>;
  /** An organisation with an App of its own, and the namespace of its integration. */
  team(org: string): Promise<BurstTeam>;
  close(): Promise<void>;
}

/** A team whose people mention the bot. */
export interface BurstTeam {
  namespace: string;
  /** Ana asks for work in new issues; each mention is stored as the gateway stores it. */
  mentions(count: number): Promise<void>;
  /** The writes to GitHub, oldest first: `reaction`, `post`, `edit`, or the route of another one. */
  writes(): string[];
}

/** Starts it; close it in the end. */
export async function startBurstWorld(kubeconfigPath: string): Promise<BurstWorld> {
  const clock = systemClock;
  const stopped = new FakeClock(new Date());
  const github = await startGitHub();
  const ana = String((await github.people.createUser({ login: "ana" })).id);
  const { client } = await connect({ kubeconfig: kubeconfigPath });
  await installCrds(client);
  const folder = mkdtempSync(join(tmpdir(), "bellhop-burst-"));
  const caFile = join(folder, "ca.crt");
  writeFileSync(caFile, github.ca ?? "");
  const log = silentLogger;
  const http = createHttp({ caFile, allowedHosts: ["127.0.0.1"], clock, log });
  const [namespace, brokerNamespace] = [await aNamespace(client, "bellhop"), await aNamespace(client, "broker")];
  const config = readConfig({
    BELLHOP_NAMESPACE: namespace,
    BELLHOP_BROKER_NAMESPACE: brokerNamespace,
    BELLHOP_BROKER_URL: "https://127.0.0.1:9",
    BELLHOP_GATEWAY_ADDRESSES: "127.0.0.1:9",
    BELLHOP_SANDBOX_BACKEND: "process",
    BELLHOP_ALLOW_NOT_ISOLATED: "true",
    BELLHOP_IMAGE: "bellhop:test",
    BELLHOP_MAX_TASKS_CLUSTER: "200",
    BELLHOP_MAX_TASKS_NAMESPACE: "200",
  });
  const stopping = new AbortController();
  const metrics = createKubeMetrics(new Registry());
  const served = Object.values<Provider>(providers).map((provider): Provider => ({
    ...provider,
    connect: (integration, deps) => provider.connect(integration, { ...deps, clock: stopped }),
  }));
  const informers = createInformers({ client, clock, log, metrics }, served, namespace);
  const { integrations, ...others } = informers;
  const all = [...integrations.map(({ informer }) => informer), ...Object.values(others)];
  for (const informer of all) informer.start(stopping.signal);
  await Promise.all(all.map((informer) => informer.waitForSync(stopping.signal)));
  const events = createEventRecorder({ client, component: "test", instance: "test", clock, log });
  const controllers = createControllers({
    client,
    config,
    informers,
    events,
    outages: createOutages({ clock, log: silentLogger }),
    metrics,
    namespace,
    clock,
    log,
    fetch: http.fetch,
  });
  for (const controller of controllers) controller.start(stopping.signal);
  return {
    client,
    github,
    tasks: informers.tasks.store,
    team: (org) => aTeam({ client, github, ana }, org),
    async close() {
      stopping.abort(new Error("the test ends"));
      await Promise.all(controllers.map((controller) => controller.drain()));
      await Promise.all([client.close(), github.close(), http.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface People extends Pick<BurstWorld, "client" | "github"> {
  /** Ana's id at GitHub. */
  ana: string;
}

async function aTeam({ client, github, ana }: People, org: string): Promise<BurstTeam> {
  const repo = `${org}/shop`;
  await github.people.createOrg({ login: org, members: { ana: "admin" } });
  const { id } = await github.people.createRepo({ repo, files: { "README.md": "# Shop\n" } });
  await github.people.createApp({ slug: `${org}-bell`, owner: org });
  await github.people.installApp({ app: `${org}-bell`, on: org });
  const namespace = await aNamespace(client, org);
  const { host } = new URL(github.url);
  await client.create(secrets, {
    metadata: { name: "app", namespace, annotations: { "bellhop.dev/allowed-for": `GitHubIntegration/${host}` } },
    stringData: { key: github.app(`${org}-bell`).privateKey },
  });
  await client.create(AgentProfileKind, {
    metadata: { name: "default", namespace },
    spec: agentProfileSpec.parse({
      agent: { type: "custom", image: "agent:1", command: ["true"] },
      concurrency: { tasks: 100 },
    }),
  });
  await client.create(GitHubIntegrationKind, {
    metadata: { name: org, namespace },
    spec: gitHubIntegrationSpec.parse({
      url: github.url,
      organization: org,
      credentials: { app: { appId: github.app(`${org}-bell`).id, privateKeySecretRef: { name: "app", key: "key" } } },
      profileRef: { name: "default" },
      triggers: [{ name: "mention", mention: {} }],
      concurrency: { tasks: 100, perRepository: 100, perActor: 100 },
      reporting: { updateEvery: "1s" },
    }),
  });
  return {
    namespace,
    async mentions(count) {
      for (let n = 0; n < count; n++) await mention({ client, github, ana, namespace, org, repositoryId: String(id) });
    },
    writes: () => github.requests.filter(({ path }) => path.startsWith(`/repos/${repo}/`)).flatMap(kindOf),
  };
}

interface Mention extends People {
  namespace: string;
  org: string;
  repositoryId: string;
}

async function mention({ client, github, ana, namespace, org, repositoryId }: Mention): Promise<void> {
  const repo = `${org}/shop`;
  const body = `@${org}-bell please fix this`;
  const { number } = await github.people.openIssue({ repo, as: "ana", title: "Fix it", body: "It is broken." });
  const { id } = await github.people.comment({ repo, number, as: "ana", body });
  await client.create(AgentTaskKind, {
    metadata: { name: `mention-${randomUUID().slice(0, 8)}`, namespace },
    spec: {
      integrationRef: { kind: "GitHubIntegration", name: org },
      source: {
        provider: "github",
        instance: new URL(github.url).host,
        event: "issue_comment",
        action: "created",
        cause: `issue_comment/${id}`,
        subject: { type: "Issue", key: `${repo}#${number}`, number, title: "Fix it" },
        object: { type: "IssueComment", id: String(id) },
        text: body,
        textSHA256: createHash("sha256").update(body).digest("hex"),
        signal: { type: "Mention" },
        receivedAt: new Date().toISOString(),
      },
      actor: { id: ana, login: "ana" },
      conversation: `${repo}#${number}`,
      repository: { id: repositoryId, host: new URL(github.url).host, owner: org, name: "shop" },
      prompt: "please fix this",
      profileRef: { name: "default" },
    },
  });
}

function kindOf({ method, path }: { method: string; path: string }): string[] {
  if (method === "GET") return [];
  if (path.endsWith("/reactions")) return ["reaction"];
  if (method === "POST" && path.endsWith("/comments")) return ["post"];
  return [method === "PATCH" ? "edit" : `${method} ${path}`];
}
