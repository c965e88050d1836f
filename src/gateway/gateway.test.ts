import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { Agent, request } from "undici";
import { Registry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import { noFacts } from "../intake/gateway-facts.ts";
import { AgentTaskKind } from "../api/kinds.ts";
import { compileRule } from "../intake/cel.ts";
import { aComment, anEntry, anIntegration, previousHookKey, route, signedHeaders } from "../intake/testing.ts";
import { providerNamed } from "../integrations/registry.ts";
import { createFakeClient } from "../kube/testing.ts";
import { systemClock } from "../shared/clock.ts";
import { silentLogger } from "../shared/log.ts";
import { createApp } from "./app.ts";
import { gatewayConfig } from "./config.ts";
import { InFlight } from "../shared/in-flight.ts";
import { createGatewayMetrics } from "./metrics.ts";
import { createHookServer } from "./server.ts";

const MiB = 1024 * 1024;
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
});

interface Options {
  env?: Record<string, string>;
  create?: () => Promise<unknown>;
  limits?: Partial<ConstructorParameters<typeof InFlight>[0]>;
  /** An entry that appears only when the keys are read again. */
  appears?: ReturnType<typeof anEntry>;
  /** Resolves when the keys are read again. */
  rereading?: () => Promise<unknown>;
  storeTimeoutMs?: number;
}

async function aGateway({ env, create, limits, appears, rereading, storeTimeoutMs = 2_000 }: Options = {}) {
  const config = gatewayConfig.parse({
    BELLHOP_NAMESPACE: "bellhop",
    BELLHOP_PORT: "0",
    BELLHOP_HOST: "127.0.0.1",
    ...env,
  });
  const registry = new Registry();
  const metrics = createGatewayMetrics(registry);
  const client = createFakeClient();
  client.before = () => create?.();
  const late: (boolean | undefined)[] = [];
  const { create: store } = client;
  client.create = (type, object, options) => {
    late.push(options?.signal?.aborted);
    return store(type, object, options);
  };
  const created = (): string[] => client.objects(AgentTaskKind).map(({ metadata }) => metadata.name);
  const entries = new Map([[route, anEntry()]]);
  let rereads = 0;
  const deps = {
    keyRing: {
      lookup: (id: string) => entries.get(id),
      reread: async () => {
        rereads += 1;
        await rereading?.();
        if (appears) entries.set(appears.route, appears);
        return true;
      },
    },
    inFlight: new InFlight({ requestsPerKey: 8, requests: 16, bytesPerKey: 64 * MiB, bytes: 64 * MiB, ...limits }),
    storeTimeoutMs,
    intake: {
      provider: providerNamed,
      integration: () => anIntegration(),
      facts: () => noFacts,
      compile: compileRule,
      clock: systemClock,
      client,
    },
  };
  const server = createHookServer(
    config,
    ({ draining }) => createApp({ ...deps, metrics, log: silentLogger, draining }),
    systemClock,
  );
  const { port } = await server.listen();
  const agent = new Agent();
  cleanUp.push(
    () => server.drain(),
    () => agent.destroy(),
  );
  return { port, url: `http://127.0.0.1:${port}`, agent, server, created, registry, late, rereads: () => rereads };
}

type Gateway = Awaited<ReturnType<typeof aGateway>>;
const env = { BELLHOP_DRAIN_MS: "0" };

async function post(
  { url, agent }: Gateway,
  body: string | Buffer,
  headers = signedHeaders(body),
  path = `/hooks/${route}`,
) {
  const answer = await request(`${url}${path}`, { dispatcher: agent, method: "POST", body, headers });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: (await answer.body.json()) as Record<string, unknown>,
  };
}

const payload = JSON.stringify(aComment());
const slack = anEntry({ route: "slack-0123456789abcdef", provider: "slack", host: "slack.com" });

/** Sends raw HTTP and returns everything that the server sent until it ended the connection. */
function raw(port: number, send: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => send(socket));
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("error", reject);
    socket.on("end", () => {
      socket.destroy();
      resolve(text);
    });
  });
}

describe("POST /hooks/<id>", () => {
  it("answers 202 with the task's name after the task is stored", async () => {
    const gateway = await aGateway({ env });
    const answer = await post(gateway, payload);
    expect(answer).toMatchObject({
      status: 202,
      body: { status: "accepted", task: { namespace: "team", name: gateway.created()[0] } },
    });
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    expect(answer.headers).not.toHaveProperty("x-powered-by");
  });

  it("accepts the previous key, and answers 401 to a wrong or missing signature", async () => {
    const gateway = await aGateway({ env });
    expect((await post(gateway, payload, signedHeaders(payload, { key: previousHookKey }))).status).toBe(202);
    const wrong = await post(gateway, payload, signedHeaders(payload, { key: Buffer.from("x") }));
    const { "x-hub-signature-256": _, ...missing } = signedHeaders(payload);
    expect(wrong.status).toBe(401);
    expect((await post(gateway, payload, missing)).body).toEqual(wrong.body);
    expect(gateway.created().length).toBe(1);
  });

  it("reads the keys again before it refuses an unknown key or hook", async () => {
    const key = Buffer.from("a-new-key");
    const fresh = await aGateway({ env, appears: anEntry({ keys: [key.toString("base64")] }) });
    expect((await post(fresh, payload, signedHeaders(payload, { key }))).status).toBe(202);
    const added = await aGateway({ env, appears: anEntry({ route: "a-new-route-000001" }) });
    expect((await post(added, payload, undefined, "/hooks/a-new-route-000001")).status).toBe(202);
    expect([fresh.rereads(), added.rereads()]).toEqual([1, 1]);
  });

  it("takes the time to read the keys again from the time to store the task: the provider waits for both", async () => {
    const key = Buffer.from("a-new-key");
    const appears = anEntry({ keys: [key.toString("base64")] });
    const timedOut = (): Promise<unknown> => once(AbortSignal.timeout(2), "abort");
    const gateway = await aGateway({ env, appears, rereading: timedOut, storeTimeoutMs: 1 });
    await post(gateway, payload, signedHeaders(payload, { key }));
    expect(gateway.late).toEqual([true]);
  });

  it("answers 404 for an unknown hook or path, and 405 for other methods", async () => {
    const gateway = await aGateway({ env });
    expect(await post(gateway, payload, undefined, "/hooks/unknown")).toMatchObject({
      status: 404,
      body: { reason: "UnknownHook" },
    });
    expect(await post(gateway, payload, undefined, "/")).toMatchObject({ status: 404, body: { reason: "NotFound" } });
    expect(await post(gateway, payload, undefined, "/hooks/%ff")).toMatchObject({
      status: 400,
      body: { reason: "BadRequest" },
    });
    const get = await request(`${gateway.url}/hooks/${route}`, { dispatcher: gateway.agent });
    expect([get.statusCode, get.headers["allow"]]).toEqual([405, "POST"]);
    await get.body.dump();
  });

  it("answers 400 to a form, with the setting to change", async () => {
    const gateway = await aGateway({ env });
    const body = `payload=${encodeURIComponent(payload)}`;
    const headers = { ...signedHeaders(body), "content-type": "application/x-www-form-urlencoded" };
    const answer = await post(gateway, body, headers);
    expect(answer).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/Content type.*application\/json/) },
    });
  });

  it("answers 413 to 26 MB, announced or not, without holding them", async () => {
    const gateway = await aGateway({ env });
    const body = Buffer.alloc(26 * MiB, "x");
    expect(await post(gateway, body, signedHeaders("unsigned"))).toMatchObject({
      status: 413,
      body: { reason: "TooLarge" },
    });
    const chunked = await request(`${gateway.url}/hooks/${route}`, {
      dispatcher: gateway.agent,
      method: "POST",
      headers: signedHeaders("unsigned"),
      body: Readable.from(
        (function* () {
          for (let at = 0; at < 26; at++) yield Buffer.alloc(MiB, "x");
        })(),
      ),
    });
    expect(chunked.statusCode).toBe(413);
    await chunked.body.dump();
    expect((await post(gateway, payload)).status).toBe(202);
  });

  it("answers 413 before the body arrives if Content-Length is too large", async () => {
    const gateway = await aGateway({ env });
    const answer = await raw(gateway.port, (socket) => {
      socket.once("data", () => socket.end());
      socket.write(`POST /hooks/${route} HTTP/1.1\r\nhost: x\r\ncontent-length: ${26 * MiB}\r\n\r\n`);
    });
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  it("delivers the 413 to a sender that reads only after it has written everything", async () => {
    const gateway = await aGateway({ env });
    const answer = await raw(gateway.port, (socket) => {
      socket.pause();
      socket.write(`POST /hooks/${route} HTTP/1.1\r\nhost: x\r\ncontent-length: ${26 * MiB}\r\n\r\n`);
      socket.end(Buffer.alloc(26 * MiB, "x"), () => socket.resume());
    });
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  it("accepts 25 MB with a valid signature", async () => {
    const gateway = await aGateway({ env });
    const padded = JSON.stringify({ ...aComment(), pad: "x".repeat(25 * MiB - 1_000) });
    expect(Buffer.byteLength(padded)).toBeLessThanOrEqual(25 * MiB);
    expect((await post(gateway, padded)).status).toBe(202);
  });

  it("answers 400 to a body that ends early, and stores nothing", async () => {
    const gateway = await aGateway({ env });
    const head = Object.entries(signedHeaders(payload))
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
    const answer = await raw(gateway.port, (socket) => {
      socket.end(
        `POST /hooks/${route} HTTP/1.1\r\nhost: x\r\n${head}content-length: ${payload.length}\r\n\r\n${payload.slice(0, 100)}`,
      );
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(gateway.created()).toEqual([]);
  });

  it("ends the wait for a slow sender", async () => {
    const gateway = await aGateway({
      env: { ...env, BELLHOP_HEADERS_TIMEOUT_MS: "100", BELLHOP_REQUEST_TIMEOUT_MS: "200" },
    });
    const slowHeaders = raw(gateway.port, (socket) => socket.write("POST / HTTP/1.1\r\nhost:"));
    const slowBody = raw(gateway.port, (socket) =>
      socket.write(`POST /hooks/${route} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{`),
    );
    expect(await slowHeaders).toMatch(/^HTTP\/1.1 408 /);
    expect(await slowBody).toMatch(/^HTTP\/1.1 408 /);
  });

  it("answers 429 with Retry-After if too many deliveries are in flight, and completes the others", async () => {
    const gate = Promise.withResolvers<void>();
    const gateway = await aGateway({ env, limits: { requestsPerKey: 1 }, create: () => gate.promise });
    const first = post(gateway, payload);
    await expect.poll(async () => (await post(gateway, payload)).status).toBe(429);
    const busy = await post(gateway, payload);
    expect([busy.status, busy.headers["retry-after"]]).toEqual([429, "10"]);
    gate.resolve();
    expect((await first).status).toBe(202);
  });

  it("answers 429 if the bytes in flight exceed the limit", async () => {
    const gateway = await aGateway({ env, limits: { bytes: 1_000 } });
    expect((await post(gateway, "x".repeat(1_001))).status).toBe(429);
  });

  it("answers in the provider's own form, with Retry-After, if it did not read the body", async () => {
    const gateway = await aGateway({ env, appears: slack, limits: { bytes: 10 } });
    const answer = await raw(gateway.port, (socket) =>
      socket.end(`POST /hooks/${slack.route} HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\n{"a":"bcd"}`),
    );
    expect(answer).toMatch(/^HTTP\/1.1 429 /);
    expect(answer).toMatch(/^retry-after: 10\r$/im);
    expect(answer).toMatch(/\r\n\r\n$/);
  });

  it("answers 503 with Retry-After if the API server does not answer in time", async () => {
    const gateway = await aGateway({ env, create: () => Promise.reject(new DOMException("too slow", "TimeoutError")) });
    const answer = await post(gateway, payload);
    expect(answer).toMatchObject({ status: 503, body: { status: "refused", reason: "NotStored" } });
    expect(answer.headers["retry-after"]).toBe("10");
  });

  it("counts each delivery by result and reason", async () => {
    const gateway = await aGateway({ env });
    await post(gateway, payload);
    await post(gateway, "{}", signedHeaders("{}", { event: "ping" }));
    const text = await gateway.registry.metrics();
    expect(text).toContain(
      'bellhop_gateway_deliveries_total{provider="github",result="accepted",reason="TaskCreated"} 1',
    );
    expect(text).toContain('bellhop_gateway_deliveries_total{provider="github",result="ignored",reason="Ping"} 1');
    expect(text).toContain('bellhop_gateway_request_duration_seconds_count{provider="github",result="accepted"} 1');
  });
});

describe("a gateway that shuts down", () => {
  it("still accepts deliveries, closes their connections, and completes deliveries in progress", async () => {
    const gate = Promise.withResolvers<void>();
    const held = { wait: Promise.resolve() };
    const gateway = await aGateway({ env: { BELLHOP_DRAIN_MS: "700" }, create: () => held.wait });
    const comment = (id: number): string => JSON.stringify(aComment({ id }));
    const before = await post(gateway, comment(1));
    expect(before.headers["connection"]).not.toBe("close");
    const drained = gateway.server.drain();
    cleanUp.splice(0, 1);
    expect(gateway.server.draining).toBe(true);
    const during = await post(gateway, comment(2));
    expect([during.status, during.headers["connection"]]).toEqual([202, "close"]);
    held.wait = gate.promise;
    const underWay = post(gateway, comment(3));
    await expect.poll(() => gateway.server.listening).toBe(false);
    gate.resolve();
    expect((await underWay).status).toBe(202);
    await drained;
    await expect(post(gateway, payload)).rejects.toThrow(/ECONNREFUSED|connect/);
  });
});
