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

function aKeyRing() {
  let listener: (change: Change<KeysSecret>) => void = () => {};
  const server: { found: KeysSecret | undefined; fail: boolean; reads: number } = {
    found: undefined,
    fail: false,
    reads: 0,
  };
  const clock = new FakeClock();
  const generations: number[] = [];
  const keyRing = new KeyRing({
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
  return { keyRing, clock, server, generations, deliverChange: (change: Change<KeysSecret>) => listener(change) };
}

describe("KeyRing", () => {
  it("serves the hooks of the watched Secret, and none after the Secret is deleted", () => {
    const { keyRing, deliverChange, generations } = aKeyRing();
    expect(keyRing.lookup(route)).toBeUndefined();
    deliverChange({ current: secret(4, [route]) });
    expect(keyRing.lookup(route)).toMatchObject({ provider: "github" });
    expect(keyRing.generation).toBe(4);
    deliverChange({ old: secret(4, [route]) });
    expect(keyRing.lookup(route)).toBeUndefined();
    expect(generations).toEqual([4, 0]);
  });

  it("reads again at most once a second, over all callers", async () => {
    const { keyRing, clock, server } = aKeyRing();
    server.found = secret(5, [other]);
    expect(await Promise.all([keyRing.reread(), keyRing.reread(), keyRing.reread()])).toEqual([true, true, true]);
    expect(keyRing.lookup(other)).toBeDefined();
    expect(await keyRing.reread()).toBe(false);
    await clock.advance(999);
    expect(await keyRing.reread()).toBe(false);
    await clock.advance(1);
    expect(await keyRing.reread()).toBe(true);
    expect(server.reads).toBe(2);
  });

  it("does not return to an older generation that the watch delivers late", async () => {
    const { keyRing, server, deliverChange } = aKeyRing();
    server.found = secret(5, [other]);
    await keyRing.reread();
    deliverChange({ current: secret(4, [route]) });
    expect(keyRing.generation).toBe(5);
    expect(keyRing.lookup(route)).toBeUndefined();
  });

  it("keeps the loaded keys while the API server is unavailable", async () => {
    const { keyRing, server, deliverChange } = aKeyRing();
    deliverChange({ current: secret(4, [route]) });
    server.fail = true;
    expect(await keyRing.reread()).toBe(true);
    expect(keyRing.lookup(route)).toBeDefined();
  });
});
