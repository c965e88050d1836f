import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../cluster/ports.ts";
import { Browser } from "../../browser.ts";
import { startSlack, type App, type SlackStandIn } from "./index.ts";
import { SlackAppKind, slackAppSpec, type SlackApp } from "../../../src/api/slack-app.ts";
import { keepGrants } from "../../../src/controllers/install/keep-grants.ts";
import { readGrantSecret, type GrantSecret } from "../../../src/controllers/install/grant-secret.ts";
import { integrationHandle, type IntegrationSource } from "../../../src/controllers/integration-handle.ts";
import { createHttp } from "../../../src/integrations/http.ts";
import { connector } from "../../../src/integrations/slack/connect.ts";
import { slack as provider } from "../../../src/integrations/slack/index.ts";
import type { Connection } from "../../../src/integrations/connection.ts";
import type { Provider } from "../../../src/integrations/provider.ts";
import type { EventContent, EventRecorder } from "../../../src/kube/events.ts";
import { secrets } from "../../../src/kube/resources.ts";
import { createFakeClient, type FakeClient } from "../../../src/kube/testing.ts";
import { systemClock, type Clock } from "../../../src/shared/clock.ts";
import { createLogger } from "../../../src/shared/log.ts";
import { installApp } from "../../../src/operator/install/app.ts";
import { createInstallServer } from "../../../src/operator/install/server.ts";

/** The operator's install pages on a real port, a stand-in for Slack, an API server in memory, and SlackApps. */
export interface InstallWorld {
  slack: SlackStandIn;
  app: App;
  /** Ids of the workspaces, of the organisation of `grid`, and of gus. */
  ids: Record<"acme" | "globex" | "grid" | "organisation" | "gus", string>;
  client: FakeClient;
  clock: Clock;
  /** Moves the clock of the operator and of Slack. */
  later(ms: number): void;
  /** Public URL of the pages. */
  baseURL: string;
  events: EventContent[];
  /** Everything that was logged. */
  logged(): string;
  /** Creates a SlackApp that allows these workspaces, and prepares it as the leading operator does. */
  aSlackApp(name: string, oauth: object): Promise<SlackApp>;
  /** Reconciles the grants, as the leading operator does. */
  keep(name: string): Promise<void>;
  /** The page at which an administrator begins. */
  startOf(name: string): string;
  grants(name: string): Promise<GrantSecret>;
  connect(name: string): Promise<Connection>;
  /** Stops the server and starts another one, as after a restart or on another replica. */
  restart(): Promise<void>;
  /** Opens the page, has a person approve at Slack, and returns what the browser shows at the end. */
  install(name: string, as: string, options?: { browser?: Browser; organisationWide?: boolean }): Promise<Shown>;
  close(): Promise<void>;
}

/** A page as the browser shows it. */
export interface Shown {
  status: number;
  text: string;
  headers: Headers;
}

const namespace = "bellhop";

/** Starts it. The workspaces are `acme` (ana), `globex` (gil), and `grid` (gus) of an organisation. */
export async function anInstallWorld(options: { tokenRotation?: boolean } = {}): Promise<InstallWorld> {
  let laterMs = 0;
  // Rates are counted by a clock that only `later` moves, so that a slow machine changes nothing.
  const clock: Clock = { ...systemClock, now: () => new Date(Date.now() + laterMs), monotonicMs: () => laterMs };
  const slack = await startSlack({ clock });
  const ids = await populate(slack);
  const port = await freePort();
  const baseURL = `http://127.0.0.1:${port}`;
  const app = await slack.people.createApp({ name: "bellhop", redirectUrls: [`${baseURL}/install`], ...options });
  const operator = await startPages({ clock, port, baseURL, ca: slack.ca ?? "" });
  const { client } = operator;
  const startOf = (name: string): string => `${baseURL}/install/slackapp/team/${name}`;
  return {
    ...operator,
    slack,
    app,
    ids,
    clock,
    later: (ms) => void (laterMs += ms),
    baseURL,
    startOf,
    async aSlackApp(name, oauth) {
      const allowed = { "bellhop.dev/allowed-for": `SlackApp/${new URL(slack.url).host}` };
      const data = { secret: Buffer.from(app.clientSecret).toString("base64") };
      client.seed(secrets, { metadata: { namespace: "team", name: "client", annotations: allowed }, data });
      const credentials = { clientId: app.clientId, clientSecretRef: { name: "client", key: "secret" }, ...oauth };
      const spec = specOf(slack.url, credentials);
      const made = await client.create(SlackAppKind, { metadata: { name, namespace: "team" }, spec });
      await operator.keep(name);
      return made;
    },
    async install(name, as, { browser = new Browser(), organisationWide = false } = {}) {
      const { location = "" } = await browser.open(startOf(name));
      return browser.open(await slack.people.approveInstall({ as, url: location, organisationWide }));
    },
    async close() {
      await operator.close();
      await slack.close();
    },
  };
}

async function populate({ people }: SlackStandIn): Promise<InstallWorld["ids"]> {
  const acme = await people.createTeam({ domain: "acme" });
  const globex = await people.createTeam({ domain: "globex" });
  const grid = await people.createTeam({ domain: "grid", enterprise: "Grid Inc" });
  await people.createUser({ name: "ana", team: "acme" });
  await people.createUser({ name: "gil", team: "globex" });
  const { id: gus } = await people.createUser({ name: "gus", team: "grid" });
  return { acme: acme.id, globex: globex.id, grid: grid.id, organisation: grid.enterprise?.id ?? "", gus };
}

function specOf(url: string, oauth: object): SlackApp["spec"] {
  return slackAppSpec.parse({
    url,
    credentials: { oauth, signingSecretRef: { name: "slack", key: "signing" } },
    codeHostRef: { kind: "GitHubIntegration", name: "shop" },
    triggers: [{ name: "mention", mention: {} }],
    profileRef: { name: "default" },
  });
}

type Pages = Pick<InstallWorld, "client" | "events" | "logged" | "keep" | "grants" | "connect" | "restart" | "close">;

/** The operator's side: an API server in memory, the pages, and what the leading operator does with the grants. */
async function startPages(given: { clock: Clock; port: number; baseURL: string; ca: string }): Promise<Pages> {
  const { clock, port, baseURL } = given;
  const folder = mkdtempSync(join(tmpdir(), "install-"));
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, given.ca);
  const lines: string[] = [];
  const log = createLogger("operator", { write: (line) => void lines.push(line) });
  const http = createHttp({ caFile, allowedHosts: ["127.0.0.1"], clock, log });
  const client = createFakeClient({ clock });
  const served: Provider = { ...provider, connect: connector({ throttle: false }) };
  const find = (name: string) => client.objects(SlackAppKind).find(({ metadata }) => metadata.name === name);
  const get = (name: string): SlackApp => {
    const found = find(name);
    if (!found) throw new Error(`there is no SlackApp ${name}`);
    return found;
  };
  const source: IntegrationSource = { provider: served, get: ({ name }) => find(name), list: () => [] };
  const deps = { client, clock, log, fetch: http.fetch, namespace };
  const noted: EventContent[] = [];
  const events: EventRecorder = { record: (_, content) => void noted.push(content), flush: async () => {} };
  const serve = async () => {
    const app = installApp({ ...deps, sources: [source], events, baseURL });
    const server = createInstallServer({ port, host: "127.0.0.1", clock: systemClock }, app);
    await server.listen();
    return server;
  };
  let server = await serve();
  return {
    client,
    events: noted,
    logged: () => lines.join(""),
    keep: (name) => keepGrants(deps, served, get(name), AbortSignal.timeout(20_000)),
    async grants(name) {
      const content = await readGrantSecret(deps, get(name).metadata.uid ?? "");
      if (!content) throw new Error("there is no Secret");
      return content;
    },
    connect: (name) => integrationHandle(deps, served, get(name)).connect(),
    async restart() {
      await server.close();
      server = await serve();
    },
    async close() {
      await server.close();
      await http.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
