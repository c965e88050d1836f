import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Failure, FailureSpan, Injection } from "./failures.ts";
import { readBody } from "./serve.ts";

/** The server of the admin port. */
export interface Admin {
  url: string;
  close(): Promise<void>;
}

/** A route of the admin port, beside `POST /people/<verb>`. */
export type AdminHandler = (given: Record<string, unknown>, url: URL) => unknown;

/** A stand-in that runs as a process. */
export interface Administered {
  /** Actions of people: each takes one plain object. */
  people: object;
  /** Handlers by `METHOD /path`. */
  routes: Record<string, AdminHandler>;
}

/** The part of a stand-in that the routes of every admin port use. */
interface Controlled {
  readonly violations: unknown;
  fail(match: object, failure: Failure, span?: FailureSpan): Injection;
  clearFailures(): void;
  settled(): Promise<void>;
}

/** The routes of every admin port: violations, failures, and the wait for deliveries. A failure has an id, with which it is counted and stopped. */
export function commonRoutes(standIn: Controlled): Record<string, AdminHandler> {
  const injections: Injection[] = [];
  const injected = (url: URL): Injection => {
    const found = injections[Number(url.searchParams.get("id") ?? NaN)];
    if (!found) throw new Error(`There is no failure ${url.searchParams.get("id")}: use the id of POST /fail.`);
    return found;
  };
  return {
    "GET /healthz": () => ({ ok: true }),
    "GET /violations": () => standIn.violations,
    "POST /fail": (given) => {
      const { match, failure, span } = given as { match: object; failure: Failure; span?: FailureSpan };
      return { id: injections.push(standIn.fail(match, failure, span)) - 1 };
    },
    "GET /fail": (_given, url) => ({ hits: injected(url).hits }),
    "DELETE /fail": (_given, url) => {
      if (url.searchParams.has("id")) injected(url).stop();
      else standIn.clearFailures();
      return {};
    },
    "POST /settled": async () => {
      await standIn.settled();
      return {};
    },
  };
}

/**
 * Starts the admin port of a stand-in over plain HTTP: `POST /people/<verb>` with the method's object as JSON, and its routes.
 * It has no access control, so keep it on loopback. Errors are answered 400 with a message.
 */
export async function startAdminPort(standIn: Administered, at: { host: string; port: number }): Promise<Admin> {
  const server = createServer((request, response) => {
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body ?? {}));
    };
    const fault = (error: unknown): void =>
      send(400, { message: error instanceof Error ? error.message : String(error) });
    answer(standIn, request)
      .then((body) => send(200, body))
      .catch(fault);
  });
  await listen(server, at);
  // The address of a TCP server is always an object.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${at.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer({ people, routes }: Administered, request: IncomingMessage): Promise<unknown> {
  const url = new URL(request.url ?? "/", "http://admin");
  const given = await readJson(request);
  const verb = /^\/people\/(\w+)$/.exec(url.pathname)?.[1];
  if (request.method === "POST" && verb !== undefined) {
    const verbs = people as Record<string, (given: unknown) => Promise<unknown>>;
    if (!Object.hasOwn(verbs, verb))
      throw new Error(`There is no action ${verb} of people: use one of ${Object.keys(verbs).join(", ")}.`);
    return verbs[verb]?.(given);
  }
  const handler = routes[`${request.method} ${url.pathname}`];
  if (!handler)
    throw new Error(
      `There is no route ${request.method} ${url.pathname}: use one of ${Object.keys(routes).join(", ")} and POST /people/<verb>.`,
    );
  return handler(given, url);
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const text = (await readBody(request)).toString();
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, resolve);
  });
}
