import { describe, expect, it } from "vitest";
import { encodeGatewayKeys } from "../intake/gateway-keys.ts";
import { anEntry, route } from "../intake/testing.ts";
import type { Change, KubeClient } from "../kube/types.ts";
import { FakeClock } from "../shared/fake-clock.ts";
import { silentLogger } from "../shared/log.ts";
import { KeyRing, type KeysSecret } from "./keys.ts";

const other = "route-of-another-hook";

function secret(generation: number, routes: string[], version = String(generation)): KeysSecret {
  const entries = new Map(routes.map((one) => [one, anEntry({ route: one })]));
  return {
    metadata: { name: "keys", namespace: "bellhop", uid: "u", resourceVersion: version },
    data: encodeGatewayKeys({ generation, routes: entries }),
  };
}

function aRing() {
  let listener: (change: Change<KeysSecret>) => void = () => {};
  const server: { found: KeysSecret | undefined; fail: boolean; reads: number } = {
    found: undefined,
    fail: false,
    reads: 0,
  };
  const clock = new FakeClock();
  const generations: number[] = [];
  const ring = new KeyRing({
    client: {
      find: (async () => {
        server.reads += 1;
        if (server.fail) throw new Error("the API server is away");
        return server.found;
      }) as KubeClient["find"],
    },
    informer: {
      onChange: (given) => {
        listener = given;
        return () => {};
      },
    },
    secret: { namespace: "bellhop", name: "keys" },
    clock,
    log: silentLogger,
    loaded: (generation) => generations.push(generation),
  });
  return { ring, clock, server, generations, tell: (change: Change<KeysSecret>) => listener(change) };
}

describe("KeyRing", () => {
  it("serves what the watch tells, and nothing of a Secret that is gone", () => {
    const { ring, tell, generations } = aRing();
    expect(ring.lookup(route)).toBeUndefined();
    tell({ current: secret(4, [route]) });
    expect(ring.lookup(route)).toMatchObject({ provider: "github" });
    expect(ring.generation).toBe(4);
    tell({ old: secret(4, [route]) });
    expect(ring.lookup(route)).toBeUndefined();
    expect(generations).toEqual([4, 0]);
  });

  it("reads again at most once a second, however many ask", async () => {
    const { ring, clock, server } = aRing();
    server.found = secret(5, [other]);
    expect(await Promise.all([ring.reread(), ring.reread(), ring.reread()])).toEqual([true, true, true]);
    expect(ring.lookup(other)).toBeDefined();
    expect(await ring.reread()).toBe(false);
    await clock.advance(999);
    expect(await ring.reread()).toBe(false);
    await clock.advance(1);
    expect(await ring.reread()).toBe(true);
    expect(server.reads).toBe(2);
  });

  it("does not go back to an older generation that the watch tells late", async () => {
    const { ring, server, tell } = aRing();
    server.found = secret(5, [other]);
    await ring.reread();
    tell({ current: secret(4, [route]) });
    expect(ring.generation).toBe(5);
    expect(ring.lookup(route)).toBeUndefined();
  });

  it("goes on with what it has while the API server is away", async () => {
    const { ring, server, tell } = aRing();
    tell({ current: secret(4, [route]) });
    server.fail = true;
    expect(await ring.reread()).toBe(true);
    expect(ring.lookup(route)).toBeDefined();
  });
});
