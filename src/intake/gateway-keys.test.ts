import { describe, expect, it } from "vitest";
import { decodeFacts, encodeFacts } from "./gateway-facts.ts";
import { decodeGatewayKeys, encodeGatewayKeys } from "./gateway-keys.ts";
import { anEntry, route } from "./testing.ts";

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

describe("the Secret of the gateways", () => {
  it("is read as it was written", () => {
    const keys = { generation: 12, routes: new Map([[route, anEntry()]]) };
    expect(decodeGatewayKeys(encodeGatewayKeys(keys))).toEqual({ keys, problems: [] });
  });

  it("is nothing where it is empty", () => {
    expect(decodeGatewayKeys({})).toEqual({ keys: { generation: 0, routes: new Map() }, problems: [] });
  });

  it("loses only the entries that cannot be read, and names them without a key", () => {
    const data = {
      ...encodeGatewayKeys({ generation: 3, routes: new Map([[route, anEntry()]]) }),
      "broken-json-000000000": Buffer.from("{secret").toString("base64"),
      "without-keys-00000000": encoded(anEntry({ route: "without-keys-00000000", keys: [] })),
      "of-another-route-0000": encoded(anEntry()),
    };
    const { keys, problems } = decodeGatewayKeys(data);
    expect([...keys.routes.keys()]).toEqual([route]);
    expect(keys.generation).toBe(3);
    expect(problems).toEqual(["broken…: not JSON", "withou…: wrong at keys", "of-ano…: the entry is of another route"]);
  });

  it("is not written with an entry that nobody would read", () => {
    const routes = new Map([["x", anEntry({ route: "x" })]]);
    expect(() => encodeGatewayKeys({ generation: 1, routes })).toThrow(/route/);
  });
});

describe("the facts of an integration", () => {
  it("are read as they were written, and nothing where they cannot be read", () => {
    expect(decodeFacts(encodeFacts({ branchPrefixes: ["bellhop/"] }))).toEqual({ branchPrefixes: ["bellhop/"] });
    for (const text of [undefined, "", "{", '{"branchPrefixes":[""]}', "null"]) {
      expect(decodeFacts(text)).toEqual({ branchPrefixes: [] });
    }
  });
});
