import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InFlight } from "./in-flight.ts";

const limits = { requestsPerKey: 2, requests: 3, bytesPerKey: 100, bytes: 150 };

describe("InFlight", () => {
  it("limits the requests of one key and in total", () => {
    const all = new InFlight(limits);
    const first = all.enter("a");
    expect(all.enter("a")).toBeDefined();
    expect(all.enter("a")).toBeUndefined();
    expect(all.enter("b")).toBeDefined();
    expect(all.enter("c")).toBeUndefined();
    first?.release();
    first?.release();
    expect(all.enter("c")).toBeDefined();
    expect(all.enter("c")).toBeUndefined();
  });

  it("limits the bytes of one key and in total, and reserves nothing if they do not fit", () => {
    const all = new InFlight(limits);
    const [a, b] = [all.enter("a"), all.enter("b")];
    expect(a?.grow(100)).toBe(true);
    expect(a?.grow(1)).toBe(false);
    expect(b?.grow(51)).toBe(false);
    expect(b?.grow(50)).toBe(true);
    a?.release();
    expect(b?.grow(50)).toBe(true);
  });

  it("has nothing reserved when all tickets are released, in any order of calls", () => {
    const step = fc.record({ hook: fc.constantFrom("a", "b", "c"), bytes: fc.nat(120) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let held = { requests: 0, bytes: 0 };
        const all = new InFlight(limits, (total) => (held = { ...total }));
        const tickets = steps.map(({ hook, bytes }) => {
          const ticket = all.enter(hook);
          ticket?.grow(bytes);
          return ticket;
        });
        expect(held.requests).toBeLessThanOrEqual(limits.requests);
        expect(held.bytes).toBeLessThanOrEqual(limits.bytes);
        for (const ticket of tickets) ticket?.release();
        expect(held).toEqual({ requests: 0, bytes: 0 });
      }),
      { numRuns: 1_000, seed: 11 },
    );
  });
});
