import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/shared/clock.ts";
import { signAppJwt } from "./auth.ts";
import { assertClean, emptyCallLog, violationsOf } from "./call-log.ts";
import type { CallLog, RestCall } from "./call-log.ts";
import type { Violation } from "../stand-in/checked-calls.ts";
import { createDeliveries } from "./deliveries.ts";
import {
  createFailures,
  type Failure,
  type FailureSpan,
  type Injection,
  type RequestMatch,
} from "../stand-in/failures.ts";
import { serveStandIn } from "../stand-in/serve.ts";
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

export { failing } from "./failures.ts";
export type { Failure, FailureSpan, Injection } from "../stand-in/failures.ts";
export type { GitHubOptions } from "./options.ts";
export type { People } from "./people/index.ts";
export type { GitCall } from "./git/audit.ts";
export type { RestCall } from "./call-log.ts";
export type { Violation } from "../stand-in/checked-calls.ts";
export type { Delivery } from "./state/hooks.ts";
export type { App, Installation } from "./state/accounts.ts";

/** A running stand-in for GitHub. It looks like a GitHub Enterprise Server: web and git at `url`, REST at `apiUrl`. */
export interface GitHubStandIn {
  url: string;
  apiUrl: string;
  /** The certificate authority to trust, PEM; undefined over plain HTTP. */
  ca: string | undefined;
  people: People;
  /** Makes requests fail. REST paths have no `/api/v3`. */
  fail(match: RequestMatch, failure: Failure, span?: FailureSpan): Injection;
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
  const server = await serveStandIn(options, handler);
  place.url = server.url;
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
    ca: server.ca,
    people,
    fail: (match, failure, span) => failures.add(match, failure, span),
    clearFailures: () => failures.clear(),
    settled: () => deliveries.settled(),
    checked: specPresent(),
    async close() {
      await server.close();
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
