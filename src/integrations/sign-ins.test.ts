import { describe, expect, it } from "vitest";
import { createSignIns, maxSignIns, type SignIns } from "./sign-ins.ts";

const deps = { fetch: (() => Promise.reject(new Error("no call expected"))) as typeof fetch };
const signIn = (signIns: SignIns<object>, ...identity: string[]): object => signIns(deps, identity, () => ({}));

describe("the sign-ins of a provider", () => {
  it("are one for the same server and credentials, and another for each other one", () => {
    const signIns = createSignIns<object>();
    const first = signIn(signIns, "https://a.example", "app", "secret");
    expect(signIn(signIns, "https://a.example", "app", "secret")).toBe(first);
    for (const other of [
      ["https://b.example", "app", "secret"],
      ["https://a.example", "app", "secret 2"],
      ["https://a.example", "appsecret"],
      ["https://a.example", "app,secret"],
    ])
      expect(signIn(signIns, ...other)).not.toBe(first);
  });

  it("are separate for each cache and for each `fetch`", () => {
    const signIns = createSignIns<object>();
    const first = signIn(signIns, "a");
    expect(signIn(createSignIns<object>(), "a")).not.toBe(first);
    expect(signIns({ fetch: () => deps.fetch("") }, ["a"], () => ({}))).not.toBe(first);
  });

  it("are not kept if signing in throws", () => {
    const signIns = createSignIns<object>();
    const fails = (): never => {
      throw new Error("the key is damaged");
    };
    expect(() => signIns(deps, ["a"], fails)).toThrow("the key is damaged");
    expect(signIn(signIns, "a")).toEqual({});
  });

  it("are dropped if there are too many, the one that was unused for the longest time first", () => {
    const signIns = createSignIns<object>();
    const [used, unused] = [signIn(signIns, "used"), signIn(signIns, "unused")];
    for (let at = 2; at < maxSignIns; at += 1) signIn(signIns, String(at));
    expect(signIn(signIns, "used")).toBe(used);
    signIn(signIns, "one too many");
    expect(signIn(signIns, "used")).toBe(used);
    expect(signIn(signIns, "unused")).not.toBe(unused);
  });
});
