import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { noon } from "../agent-task/testing.ts";
import type { HookSecret } from "./hook-secret.ts";
import { afterInstall, hasKey } from "./keyed.ts";

const secret: HookSecret = {
  route: "r".repeat(40),
  generation: 2,
  current: "second",
  rotatedAt: "2026-02-01T00:00:00Z",
  installed: 1,
  keyed: { shop: 1, till: 1 },
  proven: [],
};
const [shop, till] = [{ target: "shop" }, { target: "till" }];

describe("a key counts as installed", () => {
  it.each([
    { name: "when every hook has it", done: [shop, till], left: [], over: {}, installed: 2 },
    {
      name: "when one that cannot be reached already has it",
      done: [shop],
      left: [till],
      over: { till: 2 },
      installed: 2,
    },
    { name: "not while one that cannot be reached has another", done: [shop], left: [till], over: {}, installed: 1 },
    { name: "not when there is no hook at all", done: [], left: [], over: {}, installed: 1 },
  ])("$name", ({ done, left, over, installed }) => {
    const after = afterInstall({ ...secret, keyed: { ...secret.keyed, ...over } }, { done, left }, noon);
    expect(after).toMatchObject({ installed, ...(installed === 2 ? { installedAt: noon.toISOString() } : {}) });
  });
});

it("records for each hook whether it has the key, and prunes removed hooks", () => {
  const after = afterInstall(secret, { done: [shop], left: [] }, noon);
  expect(after.keyed).toEqual({ shop: 2 });
  expect(["shop", "till"].map((target) => hasKey(after, target))).toEqual([true, false]);
});

it("returns an equal secret if nothing changed, so that nothing is written", () => {
  const { keyed: _keyed, ...bare } = secret;
  expect(isDeepStrictEqual(afterInstall(bare, { done: [], left: [] }, noon), bare)).toBe(true);
});
