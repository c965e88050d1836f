import { describe, expect, it } from "vitest";
import { encodeGatewayKeys } from "../intake/gateway-keys.ts";
import { anEntry, route } from "../intake/testing.ts";
import { secrets } from "../kube/resources.ts";
import { createFakeClient } from "../kube/testing.ts";
import type { Change } from "../kube/types.ts";
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
  const client = createFakeClient();
  const clock = new FakeClock();
  const generations: number[] = [];
  const keyRing = new KeyRing({
    client,
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
  return { keyRing, clock, client, generations, deliverChange: (change: Change<KeysSecret>) => listener(change) };
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
    const { keyRing, clock, client } = aKeyRing();
    client.seed(secrets, secret(5, [other]));
    expect(await Promise.all([keyRing.reread(), keyRing.reread(), keyRing.reread()])).toEqual([true, true, true]);
    expect(keyRing.lookup(other)).toBeDefined();
    expect(await keyRing.reread()).toBe(false);
    await clock.advance(999);
    expect(await keyRing.reread()).toBe(false);
    await clock.advance(1);
    expect(await keyRing.reread()).toBe(true);
    expect(client.calls).toHaveLength(2);
  });

  it("does not return to an older generation that the watch delivers late", async () => {
    const { keyRing, client, deliverChange } = aKeyRing();
    client.seed(secrets, secret(5, [other]));
    await keyRing.reread();
    deliverChange({ current: secret(4, [route]) });
    expect(keyRing.generation).toBe(5);
    expect(keyRing.lookup(route)).toBeUndefined();
  });

  it("keeps the loaded keys while the API server is unavailable", async () => {
    const { keyRing, client, deliverChange } = aKeyRing();
    deliverChange({ current: secret(4, [route]) });
    client.before = () => {
      throw new Error("the API server is away");
    };
    expect(await keyRing.reread()).toBe(true);
    expect(keyRing.lookup(route)).toBeDefined();
  });
});
