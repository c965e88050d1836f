import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../test/thorough.ts";
import { readCapability, signCapability, type SigningKeys } from "./capability.ts";
import { aGrant } from "./testing.ts";

const now = new Date("2026-01-01T00:00:00Z");
const [first, second] = [Buffer.from("the first key"), Buffer.from("the second key")];
const grant = aGrant({ exp: now.getTime() / 1000 + 10 });

describe("a capability", () => {
  it("returns the signed grant", () => {
    expect(readCapability(signCapability(grant, [first]), [first], now)).toEqual(grant);
  });

  it("is valid during one rotation of the keys, and invalid after a second", () => {
    const text = signCapability(grant, [first]);
    expect(readCapability(text, [second, first], now)).toEqual(grant);
    expect(readCapability(text, [second], now)).toBeUndefined();
  });

  it("expires at the exact second", () => {
    const text = signCapability(grant, [first]);
    expect(readCapability(text, [first], new Date(now.getTime() + 9_999))).toEqual(grant);
    expect(readCapability(text, [first], new Date(now.getTime() + 10_000))).toBeUndefined();
  });

  it("is invalid if our own key signed another format", () => {
    for (const json of ["{}", "null", '{"scope":"everything"}']) {
      const payload = Buffer.from(json).toString("base64url");
      const mac = createHmac("sha256", first).update(`bellhop-capability.${payload}`).digest("base64url");
      expect(readCapability(`${payload}.${mac}`, [first], now)).toBeUndefined();
    }
  });

  it("cannot be forged or changed without a key", () => {
    const text = signCapability(grant, [first]);
    const keys: SigningKeys = [first, second];
    const changed = fc
      .tuple(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
      .map(([at, letter]) => text.slice(0, at) + letter + text.slice(at + 1));
    const forged = fc
      .tuple(fc.json(), fc.string())
      .map(([json, mac]) => `${Buffer.from(json).toString("base64url")}.${Buffer.from(mac).toString("base64url")}`);
    const hostile = fc.oneof(fc.string(), fc.string({ unit: "binary" }), changed, forged);
    fc.assert(
      fc.property(hostile, (given) => {
        const read = readCapability(given, keys, now);
        // Base64 has spare bits at its end, so another last letter can encode the same bytes. Then the grant is the same.
        return read === undefined || JSON.stringify(read) === JSON.stringify(grant);
      }),
      { seed: 1, numRuns: thorough(100_000) },
    );
  });
});
