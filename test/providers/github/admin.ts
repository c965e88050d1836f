import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Failure, FailureMatch, FailureSpan } from "./failures.ts";
import type { GitHubStandIn } from "./index.ts";

/** The server of the admin port. */
export interface Admin {
  url: string;
  close(): Promise<void>;
}

type Handler = (github: GitHubStandIn, given: Record<string, unknown>, url: URL) => unknown;

/** The routes of the admin port beside `POST /people/<verb>`. */
const table: Record<string, Handler> = {
  "GET /healthz": () => ({ ok: true }),
  "GET /requests": (github) => github.requests,
  "GET /git": (github) => github.gitCalls,
  "GET /deliveries": (github, _given, url) => github.deliveries(url.searchParams.get("event") ?? undefined),
  "GET /violations": (github) => github.violations,
  "GET /jwt": (github, _given, url) => ({ jwt: github.appJwt(url.searchParams.get("app") ?? "") }),
  "POST /fail": (github, given) => {
    const { match, failure, span } = given as { match: FailureMatch; failure: Failure; span?: FailureSpan };
    github.fail(match, failure, span);
    return {};
  },
  "DELETE /fail": (github) => {
    github.clearFailures();
    return {};
  },
  "POST /settled": async (github) => {
    await github.settled();
    return {};
  },
};

/**
 * Starts the admin port of a stand-in over plain HTTP: `POST /people/<verb>` with the method's object as JSON, and the routes of `table`.
 * It has no access control, so keep it on loopback. Errors are answered 400 with a message.
 */
export async function startAdmin(github: GitHubStandIn, at: { host: string; port: number }): Promise<Admin> {
  const server = createServer((request, response) => {
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body ?? {}));
    };
    const fault = (error: unknown): void =>
      send(400, { message: error instanceof Error ? error.message : String(error) });
    answer(github, request)
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

async function answer(github: GitHubStandIn, request: IncomingMessage): Promise<unknown> {
  const url = new URL(request.url ?? "/", "http://admin");
  const given = await readJson(request);
  const verb = /^\/people\/(\w+)$/.exec(url.pathname)?.[1];
  if (request.method === "POST" && verb !== undefined) {
    const { people } = github;
    if (!Object.hasOwn(people, verb))
      throw new Error(`There is no action ${verb} of people: use one of ${Object.keys(people).join(", ")}.`);
    const act = Reflect.get(people, verb) as (given: unknown) => Promise<unknown>;
    return act(given);
  }
  const handler = table[`${request.method} ${url.pathname}`];
  if (!handler)
    throw new Error(
      `There is no route ${request.method} ${url.pathname}: use one of ${Object.keys(table).join(", ")} and POST /people/<verb>.`,
    );
  return handler(github, given, url);
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, resolve);
  });
}
