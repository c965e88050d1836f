import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { FakeClock } from "../shared/fake-clock.ts";
import { createKubeClient } from "./client.ts";
import { configMaps } from "./resources.ts";
import type { KubeConnection } from "./types.ts";
import { type WireServer, startWireServer } from "./wire/testing.ts";

const x = { namespace: "default", name: "x" };

describe("a call", () => {
  it("ends with its caller's signal if no connection is established", async () => {
    // The clock does not advance, so that only the caller can end the call.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const abort = new AbortController();
    const port = await listen(createServer(() => abort.abort(new Error("no longer needed"))));
    const client = createKubeClient({ server: `https://127.0.0.1:${port}`, tls: {}, namespace: "default" });
    onTestFinished(() => client.close());
    await expect(client.get(configMaps, x, abort.signal)).rejects.toThrow("no longer needed");
    await expect(client.get(configMaps, x, abort.signal)).rejects.toThrow("no longer needed");
  });
});

describe("calls whose API server disappeared without closing the connection", () => {
  it("get a new connection after 4 s without any answer, and the old one is closed", async () => {
    const { wire, client, clock } = await aClient();
    await client.get(configMaps, x);
    wire.swallow();
    await givenUp(client, clock, 3_900);
    expect([wire.connections, wire.open]).toEqual([1, 1]);
    await givenUp(client, clock, 100);
    await expect(client.get(configMaps, x)).resolves.toEqual({ metadata: x });
    expect(wire.connections).toBe(2);
    await expect.poll(() => wire.open).toBe(1);
  });

  it("do not abort calls that are pending on the old connection", async () => {
    const { wire, server, client, clock } = await aClient();
    await client.get(configMaps, x);
    const answers: (() => void)[] = [];
    server.answer = (_, response) => answers.push(() => response.json(200, { metadata: x }));
    const patient = client.get(configMaps, x);
    await givenUp(client, clock, 4_000);
    const next = client.get(configMaps, x);
    await expect.poll(() => wire.connections).toBe(2);
    await expect.poll(() => answers).toHaveLength(3);
    for (const answer of answers) answer();
    await expect(patient).resolves.toEqual({ metadata: x });
    await expect(next).resolves.toEqual({ metadata: x });
    await expect.poll(() => wire.open).toBe(1);
  });

  it("keep the connection if only one of them gets no answer", async () => {
    const { wire, server, client, clock } = await aClient();
    server.answer = ({ path }, response) => {
      if (!path.endsWith("/slow")) response.json(200, { metadata: x });
    };
    const abort = new AbortController();
    const slow = client.get(configMaps, { ...x, name: "slow" }, abort.signal);
    await clock.advance(60_000);
    await client.get(configMaps, x);
    abort.abort(new Error("no longer needed"));
    await expect(slow).rejects.toThrow("no longer needed");
    await client.get(configMaps, x);
    expect(wire.connections).toBe(1);
  });

  it("end when the client is closed, also on the old connection", async () => {
    const { wire, client, clock } = await aClient();
    await client.get(configMaps, x);
    wire.swallow();
    const patient = client.get(configMaps, x).catch((error: unknown) => error);
    await givenUp(client, clock, 4_000);
    await client.get(configMaps, x);
    await client.close();
    expect(await patient).toMatchObject({ reason: "Unreachable" });
    await expect.poll(() => wire.open).toBe(0);
  });
});

/** A call that is aborted after a given time. */
async function givenUp(client: KubeConnection, clock: FakeClock, afterMs: number): Promise<void> {
  const abort = new AbortController();
  const call = client.get(configMaps, x, abort.signal);
  await clock.advance(afterMs);
  abort.abort(new Error("no longer needed"));
  await expect(call).rejects.toThrow("no longer needed");
}

/** An API server behind a proxy, and a client whose clock does not advance. */
async function aClient(): Promise<{ wire: Wire; server: WireServer; client: KubeConnection; clock: FakeClock }> {
  const server = await startWireServer((_, response) => response.json(200, { metadata: x }));
  onTestFinished(() => server.close());
  const wire = await aWire(Number(new URL(server.config.server).port));
  const clock = new FakeClock();
  const client = createKubeClient({ ...server.config, server: `https://127.0.0.1:${wire.port}` }, { clock });
  onTestFinished(() => client.close());
  return { wire, server, client, clock };
}

interface Wire {
  port: number;
  /** Number of connections so far, and now. */
  connections: number;
  open: number;
  /** Stops all traffic on the open connections; new connections work. */
  swallow(): void;
}

/** Forwards bytes, as a network does. */
async function aWire(to: number): Promise<Wire> {
  const pairs: [Socket, Socket][] = [];
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1").on("error", () => undefined);
    near.pipe(far).pipe(near);
    pairs.push([near, far]);
    wire.connections += 1;
    wire.open += 1;
    near.on("close", () => {
      wire.open -= 1;
      far.destroy();
    });
  });
  const wire: Wire = {
    port: await listen(server),
    connections: 0,
    open: 0,
    swallow() {
      for (const [near, far] of pairs) {
        near.unpipe(far).resume();
        far.unpipe(near).resume();
      }
    },
  };
  return wire;
}

/** Listens on loopback until the test has ended; returns the port. */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => undefined)));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
