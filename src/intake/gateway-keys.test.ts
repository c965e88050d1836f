import { describe, expect, it } from "vitest";
import { decodeFacts, encodeFacts } from "./gateway-facts.ts";
import { decodeGatewayKeys, encodeGatewayKeys, routeEntry, type SocketEntry } from "./gateway-keys.ts";
import { anEntry, route } from "./testing.ts";

const aSocketEntry = (): SocketEntry => ({
  provider: "slack",
  host: "slack.com",
  url: "https://slack.com",
  token: Buffer.from("xapp-1").toString("base64"),
  members: [{ kind: "SlackApp", namespace: "team", name: "slack", uid: "uid-of-slack" }],
});
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

describe("the gateway keys Secret", () => {
  it("decodes what was encoded", () => {
    const keys = {
      generation: 12,
      routes: new Map([[route, anEntry()]]),
      sockets: new Map([["uid-of-slack", aSocketEntry()]]),
    };
    expect(decodeGatewayKeys(encodeGatewayKeys(keys))).toEqual({ keys, problems: [] });
  });

  it("decodes an empty Secret to no routes", () => {
    expect(decodeGatewayKeys({})).toEqual({
      keys: { generation: 0, routes: new Map(), sockets: new Map() },
      problems: [],
    });
  });

  it("decodes what an operator without connections has written, and encodes the same for hooks as it does", () => {
    const before = {
      generation: Buffer.from("4").toString("base64"),
      [route]: encoded(anEntry()),
    };
    expect(decodeGatewayKeys(before)).toEqual({
      keys: { generation: 4, routes: new Map([[route, anEntry()]]), sockets: new Map() },
      problems: [],
    });
    expect(encodeGatewayKeys({ generation: 4, routes: new Map([[route, anEntry()]]) })).toEqual(before);
  });

  it("gives entries of connections names that no route has, so that a gateway without them omits only those", () => {
    const sockets = new Map([["uid-of-slack", aSocketEntry()]]);
    const [name = ""] = Object.keys(encodeGatewayKeys({ generation: 1, routes: new Map(), sockets }));
    expect(name).toBe("socket.uid-of-slack");
    expect(routeEntry.shape.route.safeParse(name).success).toBe(false);
    expect(routeEntry.safeParse(aSocketEntry()).success).toBe(false);
  });

  it("omits a connection that cannot be decoded, and names neither its token nor the others", () => {
    const data = {
      "socket.a": encoded({ ...aSocketEntry(), token: "" }),
      "socket.b": encoded(aSocketEntry()),
      "socket.c": Buffer.from("{xapp-secret").toString("base64"),
    };
    const { keys, problems } = decodeGatewayKeys(data);
    expect(keys.sockets.size).toBe(0);
    expect(problems).toEqual([
      "socket.a: invalid token",
      "socket.b: the entry belongs to another integration",
      "socket.c: not JSON",
    ]);
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
    expect(decodeFacts(encodeFacts({ branchPrefixes: ["bellhop/"], liveThreads: [], offered: [] }))).toEqual({
      branchPrefixes: ["bellhop/"],
      liveThreads: [],
      offered: [],
    });
    for (const text of [undefined, "", "{", '{"branchPrefixes":[""]}', "null"]) {
      expect(decodeFacts(text)).toEqual({ branchPrefixes: [], liveThreads: [], offered: [] });
    }
  });
});
