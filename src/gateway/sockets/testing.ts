import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { startSlack, type Person, type SlackStandIn } from "../../../test/providers/slack/index.ts";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import { slackAppSpec, type SlackApp } from "../../api/slack-app.ts";
import { compileRule } from "../../intake/cel.ts";
import type { StoredIntegration } from "../../intake/choose-integration.ts";
import type { SocketEntry } from "../../intake/gateway-keys.ts";
import { decodeSocketStates, socketStatesAnnotation, type SocketState } from "../../intake/socket-states.ts";
import { isProviderFailure } from "../../integrations/errors.ts";
import { createHttp, type Http } from "../../integrations/http.ts";
import { providerNamed, providers } from "../../integrations/registry.ts";
import { leases, type Lease } from "../../kube/resources.ts";
import { createFakeClient, type FakeClient } from "../../kube/testing.ts";
import { systemClock } from "../../shared/clock.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { InFlight } from "../../shared/in-flight.ts";
import { silentLogger } from "../../shared/log.ts";
import { createGatewayMetrics, type GatewayMetrics } from "../metrics.ts";
import { createSockets, type Sockets } from "./index.ts";

/** A workspace whose app uses Socket Mode, and gateways of this process that share an API server in memory. Both have clocks of their own. */
export interface SocketWorld {
  slack: SlackStandIn;
  slackClock: FakeClock;
  /** The clock of the gateways. */
  clock: FakeClock;
  client: FakeClient;
  ana: Person;
  uid: string;
  registry: Registry;
  /** The published connection; its token is the app's, or the given one. */
  entry(token?: string): ReadonlyMap<string, SocketEntry>;
  gateway(name?: string): Sockets;
  /** Connects as another program with the app's token; the result closes the connection. */
  stranger(): Promise<() => void>;
  tasks(): AgentTask[];
  lease(): Lease | undefined;
  /** The state of the connection, as the holder of the Lease reports it. */
  state(): SocketState | undefined;
  close(): Promise<void>;
}

const limits = { requestsPerKey: 8, requests: 8, bytesPerKey: 1_000_000, bytes: 1_000_000 };

/** Starts one. The gateways follow nothing yet. */
export async function aSocketWorld(): Promise<SocketWorld> {
  const [slackClock, clock] = [new FakeClock("2026-03-01T12:00:00Z"), new FakeClock("2026-03-01T12:00:00Z")];
  const slack = await startSlack({ clock: slackClock });
  const integration = await populated(slack);
  const folder = mkdtempSync(join(tmpdir(), "bellhop-sockets-"));
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, slack.ca ?? "");
  const http = createHttp({ caFile, allowedHosts: ["127.0.0.1"], clock, log: silentLogger });
  const client = createFakeClient({ clock });
  const registry = new Registry();
  const metrics = createGatewayMetrics(registry);
  const gateways: Sockets[] = [];
  const { uid, name, namespace } = integration.metadata;
  const world: SocketWorld = {
    slack,
    slackClock,
    clock,
    client,
    ana: slack.person("ana"),
    uid,
    registry,
    entry(token = slack.app().appToken) {
      const { url } = integration.spec;
      const members = [{ kind: "SlackApp", namespace, name, uid }];
      const encoded = Buffer.from(token).toString("base64");
      return new Map([[uid, { provider: "slack", host: new URL(url).host, url, token: encoded, members }]]);
    },
    gateway(pod = "gateway-1") {
      const made = aGateway({ pod, integration, client, clock, http, metrics });
      gateways.push(made);
      return made;
    },
    stranger: () => aStranger(http, integration, slack.app().appToken),
    tasks: () => client.objects(AgentTaskKind),
    lease: () => client.objects(leases)[0],
    state: () => decodeSocketStates(world.lease()?.metadata.annotations?.[socketStatesAnnotation]).get(uid),
    async close() {
      client.before = () => undefined;
      await Promise.all(gateways.map((gateway) => ended(gateway, clock)));
      await http.close();
      await slack.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}

interface Given {
  pod: string;
  integration: StoredIntegration;
  client: FakeClient;
  clock: FakeClock;
  http: Http;
  metrics: GatewayMetrics;
}

function aGateway({ pod, integration, client, clock, http, metrics }: Given): Sockets {
  const intake = {
    provider: providerNamed,
    integration: () => integration,
    facts: () => ({ branchPrefixes: [], liveThreads: [], offered: [{ name: "acme/shop" }] }),
    compile: compileRule,
    client,
    clock,
  };
  const lease = { client, namespace: "bellhop", identity: `${pod}_0a0b0c0d` };
  const common = { clock, log: silentLogger, metrics, inFlight: new InFlight(limits), storeTimeoutMs: 7_000 };
  return createSockets({ ...common, http, intake, lease });
}

async function aStranger(http: Http, { spec: { url } }: SlackApp, token: string): Promise<() => void> {
  const deps = { clock: systemClock, log: silentLogger, fetch: http.fetch };
  const target = { url, host: new URL(url).host, token };
  const address = await untilAnswered(() =>
    providers.slack.ingress.socket?.open(target, deps, AbortSignal.timeout(30_000)),
  );
  const connected = Promise.withResolvers<void>();
  const socket = http.socket(address ?? "", {
    message: () => connected.resolve(),
    alive: () => {},
    closed: (error) => connected.reject(error),
  });
  await connected.promise;
  return () => socket.destroy();
}

/** Tries again what only failed because the machine is busy. */
async function untilAnswered<T>(ask: () => Promise<T> | undefined): Promise<T | undefined> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isProviderFailure(error, "Unavailable")) throw error;
    }
  }
}

/** Stops a gateway whose clock has to pass for it. */
export async function ended(gateway: Sockets, clock: FakeClock): Promise<void> {
  const stopping = { over: false };
  const stopped = gateway.stop().finally(() => (stopping.over = true));
  while (!stopping.over) await clock.advance(500);
  await stopped;
}

async function populated(slack: SlackStandIn): Promise<SlackApp & StoredIntegration> {
  const { people } = slack;
  const team = await people.createTeam({ domain: "acme" });
  await people.createUser({ name: "ana" });
  await people.createApp({ name: "bellhop", socketMode: true, commands: { "/bellhop": "" } });
  const { bot } = await people.installApp({ by: "ana" });
  await people.createChannel({ name: "shop", members: ["ana", "bellhop"] });
  return {
    kind: "SlackApp",
    metadata: { name: "slack", namespace: "team", uid: "uid-of-slack" },
    spec: slackAppSpec.parse({
      url: slack.url,
      credentials: {
        botTokenSecretRef: { name: "slack", key: "bot" },
        appTokenSecretRef: { name: "slack", key: "app" },
      },
      codeHostRef: { kind: "GitHubIntegration", name: "github" },
      triggers: [
        { name: "mention", mention: {} },
        { name: "command", slashCommand: {} },
      ],
      profileRef: { name: "default" },
    }),
    status: {
      bot: { id: bot.id, login: "bellhop", mention: "bellhop" },
      installations: [{ id: team.id, account: "acme" }],
    },
  };
}
