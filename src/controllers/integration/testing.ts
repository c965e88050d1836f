import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aNamespace } from "../../../test/cluster/namespace.ts";
import { startGitHub, type GitHubStandIn } from "../../../test/providers/github/index.ts";
import { taskCacheOf } from "../agent-task/testing.ts";
import { startReceiver, type Receiver } from "../../../test/providers/github/testing.ts";
import { GitHubIntegrationKind, type GitHubIntegration } from "../../api/github-integration.ts";
import type { AgentTask } from "../../api/kinds.ts";
import { compileRule } from "../../intake/cel.ts";
import { decodeGatewayKeys, gatewayKeysSecretName, type RouteEntry } from "../../intake/gateway-keys.ts";
import { connector } from "../../integrations/github/connect.ts";
import { github as provider } from "../../integrations/github/index.ts";
import { createHttp } from "../../integrations/http.ts";
import { integrationType } from "../../integrations/resource-type.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";
import type { EventContent } from "../../kube/events.ts";
import { secrets } from "../../kube/resources.ts";
import type { KubeClient, Result } from "../../kube/types.ts";
import { systemClock, type Clock } from "../../shared/clock.ts";
import { silentLogger } from "../../shared/log.ts";
import type { IntegrationSource } from "../integration-handle.ts";
import { defaultIntegrationConfig, type IntegrationConfig } from "./deps.ts";
import { createOutages } from "./outages.ts";
import { gatewayKeyPublisher } from "./gateway-keys.ts";
import { publicNames } from "./offered-repositories.ts";
import { hookSecretName, readHookSecret, type HookSecret } from "./hook-secret.ts";
import { integrationReconciler } from "./index.ts";
import { sweepIntegrations } from "./finalize.ts";

/** A fake code host with people, repositories and an App, a receiver of its deliveries, and the controller that works with both and a real API server. */
export interface IntegrationWorld {
  github: GitHubStandIn;
  receiver: Receiver;
  /** Namespace of the integrations and of the operator. */
  namespace: string;
  /** Host name with port, as in `allowed-for`. */
  host: string;
  /** The generation that the gateways report; `all` is the published one. */
  gateways: { has: number | "all" | "silent" };
  config: IntegrationConfig;
  events: EventContent[];
  /** Objects in the informer of tasks. */
  tasks: AgentTask[];
  /** Moves the controller's clock. */
  later(ms: number): void;
  create(name: string, spec?: object): Promise<GitHubIntegration>;
  secret(name: string, value: string, options?: { allowedFor?: string; key?: string }): Promise<void>;
  read(name: string): Promise<GitHubIntegration>;
  reconcile(name: string): Promise<Result>;
  /** Cleans up after forced deletions. */
  sweep(): Promise<void>;
  /** Reads the hook secret of the integration. */
  hookSecret(integration: Integration): Promise<HookSecret | undefined>;
  /** The routes that the gateways would read. */
  routes(): Promise<RouteEntry[]>;
  close(): Promise<void>;
}

/** Starts one. The App `bellhop` is installed on `acme`, whose repositories are `shop` and `till`. */
export async function anIntegrationWorld(client: KubeClient): Promise<IntegrationWorld> {
  const [github, receiver, namespace] = await Promise.all([
    startGitHub(),
    startReceiver(),
    aNamespace(client, "integration"),
  ]);
  await populate(github);
  const host = new URL(github.url).host;
  const externalURL = new URL(receiver.url).origin;
  const controller = startController({ client, namespace, externalURL, ca: github.ca ?? "" });
  return {
    github,
    receiver,
    namespace,
    host,
    ...controller,
    read: (name) => client.get(GitHubIntegrationKind, { name, namespace }),
    create: (name, spec = {}) =>
      client.create(GitHubIntegrationKind, { metadata: { name, namespace }, spec: aSpec(github.url, spec) }),
    async secret(name, value, { allowedFor = `GitHubIntegration/${host}`, key = "value" } = {}) {
      const annotations = { "bellhop.dev/allowed-for": allowedFor };
      const data = { [key]: Buffer.from(value).toString("base64") };
      await client.apply(secrets, { metadata: { name, namespace, annotations }, data }, { fieldManager: "a-person" });
    },
    hookSecret: (integration) => readHookSecret({ client, namespace }, hookSecretName(served, integration)),
    async routes() {
      const published = await client.find(secrets, { name: gatewayKeysSecretName, namespace });
      return [...decodeGatewayKeys(published?.data ?? {}).keys.routes.values()];
    },
    close: async () => void (await Promise.all([github.close(), receiver.close(), controller.close()])),
  };
}

/** The provider, without its pauses between writes. */
const served: Provider = { ...provider, connect: connector({ throttle: false }) };

type Started = Pick<
  IntegrationWorld,
  "gateways" | "config" | "events" | "tasks" | "later" | "reconcile" | "sweep" | "close"
>;

function startController(given: { client: KubeClient; namespace: string; externalURL: string; ca: string }): Started {
  const { client, namespace, externalURL } = given;
  const config: IntegrationConfig = { ...defaultIntegrationConfig, namespace, externalURL };
  const folder = mkdtempSync(join(tmpdir(), "bellhop-integration-test-"));
  const caFile = join(folder, "ca.crt");
  writeFileSync(caFile, given.ca);
  let laterMs = 0;
  const clock: Clock = { ...systemClock, now: () => new Date(Date.now() + laterMs) };
  const basic = { client, clock, log: silentLogger, namespace };
  const http = createHttp({ ...basic, caFile, allowedHosts: ["127.0.0.1"] });
  const common = { ...basic, fetch: http.fetch };
  const gateways: Started["gateways"] = { has: "all" };
  const [events, tasks]: [EventContent[], AgentTask[]] = [[], []];
  let known: GitHubIntegration[] = [];
  const source: IntegrationSource = {
    provider: served,
    get: ({ name }) => known.find(({ metadata }) => metadata.name === name),
    list: () => known,
  };
  const sources = [source];
  const keys = gatewayKeyPublisher({ client, namespace, sources, log: silentLogger });
  const refresh = async () => void (known = (await client.list(GitHubIntegrationKind, { namespace })).items);
  const reconciler = integrationReconciler({
    ...common,
    source,
    sources,
    type: integrationType(served),
    profiles: { get: () => undefined },
    tasks: { ofIntegration: (integration) => taskCacheOf(tasks).ofIntegration(integration) },
    keys,
    gateways: { generations: async () => [{ address: "10.0.0.1", generation: generationOf(gateways) }] },
    socketLease: () => undefined,
    publicNames: publicNames({ ...common, sources }),
    compileRule,
    outages: createOutages({ clock, log: silentLogger }),
    events: { record: (_object, content) => void events.push(content), flush: async () => {} },
    config,
  });
  return {
    gateways,
    config,
    events,
    tasks,
    later: (ms) => void (laterMs += ms),
    async reconcile(name) {
      await refresh();
      return reconciler({ name, namespace }, AbortSignal.timeout(30_000));
    },
    async sweep() {
      await refresh();
      await sweepIntegrations({ client, namespace, sources, keys, log: silentLogger }, AbortSignal.timeout(30_000));
    },
    async close() {
      await http.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function generationOf({ has }: Started["gateways"]): number | undefined {
  if (has === "silent") return undefined;
  return has === "all" ? Number.POSITIVE_INFINITY : has;
}

async function populate({ people }: GitHubStandIn): Promise<void> {
  await people.createUser({ login: "ana" });
  await people.createUser({ login: "bot" });
  await people.createOrg({ login: "acme", members: { ana: "admin", bot: "admin" } });
  for (const repo of ["acme/shop", "acme/till"]) await people.createRepo({ repo, files: { "README.md": "# It\n" } });
  await people.createApp({ slug: "bellhop", owner: "acme" });
  await people.installApp({ app: "bellhop", on: "acme" });
}

function aSpec(url: string, over: object): GitHubIntegration["spec"] {
  return {
    url,
    repositories: ["acme/shop"],
    credentials: { token: { secretRef: { name: "token", key: "value" } } },
    triggers: [{ name: "mention", mention: {} }],
    profileRef: { name: "default" },
    ...over,
  } as GitHubIntegration["spec"];
}

/** Credentials of the App. */
export function appCredentials({ github }: IntegrationWorld): object {
  return { app: { appId: github.app("bellhop").id, privateKeySecretRef: { name: "app", key: "value" } } };
}

/** A condition of an integration. */
export function conditionOf(integration: GitHubIntegration, type: string) {
  return integration.status?.conditions?.find((condition) => condition.type === type);
}

/** The newest received delivery, and whether a key signed it. */
export function lastDelivery({ receiver }: IntegrationWorld): { signedWith(key: string): boolean } {
  const last = receiver.received.at(-1);
  if (!last) throw new Error("nothing was delivered");
  return {
    signedWith: (key) =>
      last.headers["x-hub-signature-256"] === `sha256=${createHmac("sha256", key).update(last.body).digest("hex")}`,
  };
}
