import { describe, expect, it } from "vitest";
import { decodeFacts, encodeFacts } from "./gateway-facts.ts";
import { decodeGatewayKeys, encodeGatewayKeys } from "./gateway-keys.ts";
import { anEntry, route } from "./testing.ts";

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

describe("the gateway keys Secret", () => {
  it("decodes what was encoded", () => {
    const keys = { generation: 12, routes: new Map([[route, anEntry()]]) };
    expect(decodeGatewayKeys(encodeGatewayKeys(keys))).toEqual({ keys, problems: [] });
  });

  it("decodes an empty Secret to no routes", () => {
    expect(decodeGatewayKeys({})).toEqual({ keys: { generation: 0, routes: new Map() }, problems: [] });
  });

  it("omits only the entries that cannot be decoded, and lists them without their keys", () => {
    const data = {
      ...encodeGatewayKeys({ generation: 3, routes: new Map([[route, anEntry()]]) }),
      "broken-json-000000000": Buffer.from("{secret").toString("base64"),
      "without-keys-00000000": encoded(anEntry({ route: "without-keys-00000000", keys: [] })),
      "of-another-route-0000": encoded(anEntry()),
    };
    const { keys, problems } = decodeGatewayKeys(data);
    expect([...keys.routes.keys()]).toEqual([route]);
    expect(keys.generation).toBe(3);
    expect(problems).toEqual([
      "broken…: not JSON",
      "withou…: invalid keys",
      "of-ano…: the entry belongs to another route",
    ]);
  });

  it("does not encode an entry that a gateway would reject", () => {
    const routes = new Map([["x", anEntry({ route: "x" })]]);
    expect(() => encodeGatewayKeys({ generation: 1, routes })).toThrow(/route/);
  });
});

describe("the facts of an integration", () => {
  it("decode to what was encoded, and to no facts if they cannot be decoded", () => {
    expect(decodeFacts(encodeFacts({ branchPrefixes: ["bellhop/"], liveThreads: [] }))).toEqual({
      branchPrefixes: ["bellhop/"],
      liveThreads: [],
    });
    for (const text of [undefined, "", "{", '{"branchPrefixes":[""]}', "null"]) {
      expect(decodeFacts(text)).toEqual({ branchPrefixes: [], liveThreads: [] });
    }
  });
});
