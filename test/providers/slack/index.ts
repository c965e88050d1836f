import { systemClock } from "../../../src/shared/clock.ts";
import { createFailures, type FailureSpan, type Injection } from "../stand-in/failures.ts";
import { serveStandIn } from "../stand-in/serve.ts";
import { methods } from "./api/table.ts";
import { assertClean, emptyCallLog, violationsOf } from "./call-log.ts";
import type { ApiCall } from "./call-log.ts";
import type { Violation } from "../stand-in/checked-calls.ts";
import { createDeliveries } from "./deliveries.ts";
import { inject } from "./failures.ts";
import type { FailureMatch, SlackFault } from "./failures.ts";
import type { StandInOptions } from "../stand-in/options.ts";
import { createPeople } from "./people/index.ts";
import type { People } from "./people/index.ts";
import { createPerson } from "./people/person.ts";
import type { Person } from "./people/person.ts";
import { messagesIn } from "./see.ts";
import type { SeenMessage } from "./see.ts";
import { listener } from "./server.ts";
import { createSockets } from "./socket/connections.ts";
import { specPresent } from "./spec-check.ts";
import type { App, Installation } from "./state/apps.ts";
import type { Delivery } from "./state/deliveries.ts";
import { findApp, findInstallation, findTeam, must } from "./state/find.ts";
import { emptyData } from "./state/world.ts";
import type { World } from "./state/world.ts";

export { activeParts } from "./active.ts";
export { failing } from "./failures.ts";
export type { ActivePart } from "./active.ts";
export type { FailureMatch, SlackFault } from "./failures.ts";
export type { People } from "./people/index.ts";
export type { Option } from "./people/interact.ts";
export type { Person } from "./people/person.ts";
export type { MessageRef } from "./people/resolve.ts";
export type { SeenMessage } from "./see.ts";
export type { ApiCall } from "./call-log.ts";
export type { Violation } from "../stand-in/checked-calls.ts";
export type { Delivery } from "./state/deliveries.ts";
export type { App, Installation } from "./state/apps.ts";

/** A running stand-in for Slack. */
export interface SlackStandIn {
  url: string;
  /** For `slackApiUrl` of `@slack/web-api`, with its trailing slash. */
  apiUrl: string;
  /** The certificate authority to trust, PEM; undefined over plain HTTP. */
  ca: string | undefined;
  people: People;
  /** One person, by name or id. */
  person(name: string): Person;
  /** Makes calls of the Web API fail. */
  fail(match: FailureMatch, failure: SlackFault, span?: FailureSpan): Injection;
  clearFailures(): void;
  /** All calls of the Web API so far, oldest first; only those of `method` if it is given. */
  calls(method?: string): ApiCall[];
  readonly violations: Violation[];
  /** All requests to apps so far, oldest first; only those of this type (`app_mention`, `block_actions`, …) if it is given. */
  deliveries(type?: string): Delivery[];
  /** Resolves once no request to an app is in progress. Scheduled retries wait for the clock. */
  settled(): Promise<void>;
  /** The messages of a channel as a person sees them, oldest first. Without a person, no ephemeral ones. */
  messages(channel: string, more?: { as?: string; thread?: string }): SeenMessage[];
  /** An app, by name or id; the first one by default. */
  app(name?: string): App;
  /** An app in a workspace, with its bot token; the first ones by default. */
  installation(app?: string, team?: string): Installation;
  /** Throws an error that names every call, answer and event that Slack's description does not allow, and every unknown method. */
  assertClean(): void;
  /** Whether Slack's description exists, so that calls and answers are checked. */
  checked: boolean;
  close(): Promise<void>;
}

/** Starts a stand-in. The caller must close it. */
export async function startSlack(options: StandInOptions = {}): Promise<SlackStandIn> {
  const clock = options.clock ?? systemClock;
  const place = { url: "" };
  const sockets = createSockets(clock);
  const world: World = {
    data: emptyData(),
    clock,
    baseUrl: () => place.url,
    sockets,
    emit: (outgoing) => deliveries.emit(outgoing),
    ask: (outgoing) => deliveries.ask(outgoing),
  };
  const deliveries = createDeliveries(world, {
    timeoutMs: options.deliveryTimeoutMs ?? 3_000,
    ca: options.webhookCa,
    sockets,
  });
  const log = emptyCallLog();
  const failures = createFailures(clock);
  const table = new Map(methods.map((method) => [method.name, method]));
  const handler = listener({ world, methods: table, log, failures });
  const server = await serveStandIn(options, handler, (request, socket) => sockets.upgrade(request, socket));
  place.url = server.url;
  const people = createPeople(world, () => deliveries.settled());
  return {
    ...inspection(world),
    get violations() {
      return violationsOf(log, world.data.deliveries);
    },
    assertClean: () => assertClean(log, world.data.deliveries),
    calls: (method) => log.calls.filter((call) => method === undefined || call.method === method),
    url: place.url,
    apiUrl: `${place.url}/api/`,
    ca: server.ca,
    people,
    person: (name) => createPerson(people, name),
    fail: (match, failure, span) => inject(failures, match, failure, span),
    clearFailures: () => failures.clear(),
    settled: () => deliveries.settled(),
    checked: specPresent(),
    async close() {
      deliveries.stop();
      sockets.close();
      await server.close();
    },
  };
}

function inspection(world: World): Pick<SlackStandIn, "deliveries" | "messages" | "app" | "installation"> {
  return {
    deliveries: (type) => world.data.deliveries.filter((delivery) => type === undefined || delivery.type === type),
    messages: (channel, more) => messagesIn(world, channel, more),
    app: (name) => findApp(world, name),
    installation(app, team) {
      const found = findInstallation(world, findApp(world, app), findTeam(world, team));
      return must(found, `app ${app ?? ""} in workspace ${team ?? ""}`);
    },
  };
}
