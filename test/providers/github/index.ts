import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/shared/clock.ts";
import { signAppJwt } from "./auth.ts";
import { assertClean, emptyCallLog, violationsOf } from "./call-log.ts";
import type { CallLog, RestCall } from "./call-log.ts";
import type { Violation } from "./spec-check.ts";
import { createDeliveries } from "./deliveries.ts";
import { createFailures } from "./failures.ts";
import type { Failure, FailureMatch, FailureSpan, Injection } from "./failures.ts";
import type { GitCall } from "./git/audit.ts";
import { memorise, recall } from "./memory.ts";
import type { GitHubOptions } from "./options.ts";
import { createPeople } from "./people/index.ts";
import type { People } from "./people/index.ts";
import { createRouter } from "./rest/router.ts";
import { routes } from "./rest/table.ts";
import { listener } from "./server.ts";
import { specPresent } from "./spec-check.ts";
import type { App, Token } from "./state/accounts.ts";
import type { Delivery } from "./state/hooks.ts";
import { stamp } from "./state/world.ts";
import type { World } from "./state/world.ts";
import { makeTls } from "./tls.ts";
import type { ServerTls } from "./tls.ts";

export { failing } from "./failures.ts";
export type { Failure, FailureMatch, FailureSpan, Injection } from "./failures.ts";
export type { GitHubOptions } from "./options.ts";
export type { People } from "./people/index.ts";
export type { GitCall } from "./git/audit.ts";
export type { RestCall } from "./call-log.ts";
export type { Violation } from "./spec-check.ts";
export type { Delivery } from "./state/hooks.ts";
export type { App, Installation } from "./state/accounts.ts";

/** A running stand-in for GitHub. It looks like a GitHub Enterprise Server: web and git at `url`, REST at `apiUrl`. */
export interface GitHubStandIn {
  url: string;
  apiUrl: string;
  /** The certificate authority to trust, PEM; undefined over plain HTTP. */
  ca: string | undefined;
  people: People;
  /** Makes requests fail. */
  fail(match: FailureMatch, failure: Failure, span?: FailureSpan): Injection;
  clearFailures(): void;
  /** All REST requests so far, oldest first. */
  requests: RestCall[];
  /** All git requests so far, oldest first. */
  gitCalls: GitCall[];
  readonly violations: Violation[];
  /** All deliveries so far, oldest first; only those of `event` if it is given. */
  deliveries(event?: string): Delivery[];
  /** Resolves once no delivery is in progress. */
  settled(): Promise<void>;
  /** All installation tokens so far, oldest first. Tests check that none appears anywhere and that all are revoked in the end. */
  tokens(): Pick<Token, "value" | "installation" | "permissions" | "revoked">[];
  /** A JWT of an App, by slug. */
  appJwt(slug: string, lifetimeSeconds?: number): string;
  app(slug: string): App;
  /** The folder of a bare git repository, by `owner/name`. */
  gitDir(repo: string): string;
  /** Throws an error that names every request or answer that GitHub's description does not allow, and every unknown route. */
  assertClean(): void;
  /** Whether GitHub's description exists, so that requests and answers are checked. */
  checked: boolean;
  close(): Promise<void>;
}

/** Starts a stand-in. The caller must close it. */
export async function startGitHub(options: GitHubOptions = {}): Promise<GitHubStandIn> {
  const clock = options.clock ?? systemClock;
  const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), "github-stand-in-"));
  const reposDir = join(stateDir, "repositories");
  mkdirSync(reposDir, { recursive: true });
  const place = { url: "" };
  const world: World = {
    data: recall(stateDir, stamp(clock.now())),
    clock,
    baseUrl: () => place.url,
    reposDir,
    emit: (webhookEvent) => deliveries.emit(webhookEvent),
  };
  const deliveries = createDeliveries(world, {
    timeoutMs: options.deliveryTimeoutMs ?? 10_000,
    unreachableStatusCode: options.unreachableStatusCode ?? 502,
    ca: options.webhookCa,
  });
  const changed = (): void => {
    if (options.stateDir !== undefined) memorise(stateDir, world.data);
  };
  const log = emptyCallLog();
  const failures = createFailures(clock);
  const handler = listener({
    world,
    router: createRouter(routes),
    log,
    redeliver: (delivery) => deliveries.redeliver(delivery),
    failures,
    changed,
  });
  const tls = options.plainHttp === true ? undefined : (options.tls ?? (await makeTls(namesOf(options))));
  const server = tls ? createHttpsServer({ key: tls.key, cert: tls.cert }, handler) : createHttpServer(handler);
  place.url = await listen(server, options, tls);
  const people = createPeople(world, async () => {
    await deliveries.settled();
    changed();
  });
  return {
    ...inspection(world, log),
    get violations() {
      return violationsOf(log);
    },
    assertClean: () => assertClean(log),
    url: place.url,
    apiUrl: `${place.url}/api/v3`,
    ca: tls?.ca,
    people,
    fail: (match, failure, span) => failures.add(match, failure, span),
    clearFailures: () => failures.clear(),
    settled: () => deliveries.settled(),
    checked: specPresent(),
    async close() {
      await close(server);
      await deliveries.settled();
      changed();
      if (options.stateDir === undefined) rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

function inspection(
  world: World,
  log: CallLog,
): Pick<GitHubStandIn, "requests" | "gitCalls" | "deliveries" | "tokens" | "appJwt" | "app" | "gitDir"> {
  const app = (slug: string): App => {
    const found = world.data.apps.find((candidate) => candidate.slug === slug);
    if (!found) throw new Error(`GitHub stand-in: there is no App ${slug}.`);
    return found;
  };
  return {
    requests: log.rest,
    gitCalls: log.git,
    deliveries: (event) => world.data.deliveries.filter((delivery) => event === undefined || delivery.event === event),
    tokens: () => [...world.data.tokens.values()].filter(({ installation }) => installation !== null),
    appJwt: (slug, lifetimeSeconds) => signAppJwt(world, app(slug), lifetimeSeconds),
    app,
    gitDir(name) {
      const repo = world.data.repositories.find((candidate) => `${candidate.owner.login}/${candidate.name}` === name);
      if (!repo) throw new Error(`GitHub stand-in: there is no repository ${name}.`);
      return repo.dir;
    },
  };
}

function namesOf(options: GitHubOptions): string[] {
  const publicHost = options.publicUrl === undefined ? [] : [new URL(options.publicUrl).hostname];
  const host = options.host === undefined || options.host === "0.0.0.0" ? [] : [options.host];
  return [...new Set(["localhost", "127.0.0.1", ...host, ...publicHost, ...(options.names ?? [])])];
}

async function listen(server: Server, options: GitHubOptions, tls: ServerTls | undefined): Promise<string> {
  const host = options.host ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  // The address of a TCP server is always an object.
  const { port } = server.address() as AddressInfo;
  const name = host === "0.0.0.0" ? "127.0.0.1" : host;
  return options.publicUrl ?? `${tls ? "https" : "http"}://${name}:${port}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
