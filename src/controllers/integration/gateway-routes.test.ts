import { describe, expect, it } from "vitest";
import { anIntegration } from "../../intake/testing.ts";
import { github } from "../../integrations/github/index.ts";
import type { Provider } from "../../integrations/provider.ts";
import { unexpected } from "../../shared/testing.ts";
import { toRoutes, type Member } from "./gateway-routes.ts";
import { newHookSecret, type HookSecret } from "./hook-secret.ts";

const now = new Date("2026-03-01T12:00:00Z");
const provider: Provider = github;

function member(name: string, over: { secret?: HookSecret; accepted?: string; provider?: Provider } = {}): Member {
  return {
    provider: over.provider ?? provider,
    integration: anIntegration({ name }),
    secret: over.secret ?? newHookSecret(now),
    accepted: over.accepted === undefined ? undefined : Buffer.from(over.accepted),
  };
}

const keysOf = (members: Member[]): string[] =>
  (toRoutes(members).entries[0]?.keys ?? []).map((key) => Buffer.from(key, "base64").toString());

describe("the routes of the gateways", () => {
  it("hold each key once, ours first", () => {
    const secret = { ...newHookSecret(now), current: "new", previous: "old" };
    expect(
      keysOf([member("one", { secret, accepted: "theirs" }), member("two", { secret, accepted: "theirs" })]),
    ).toEqual(["new", "old", "theirs"]);
  });

  it.each([
    { name: "whose provider throws", bad: () => member("bad", { provider: throwing }) },
    { name: "with an empty key", bad: () => member("bad", { accepted: "" }) },
  ])("omit an integration $name with a refusal, and keep all others", ({ bad }) => {
    const { entries, refused } = toRoutes([member("one"), bad(), member("two")]);
    expect(entries.flatMap(({ members }) => members.map(({ name }) => name))).toEqual(["one", "two"]);
    expect([...refused]).toEqual([
      ["uid-of-bad", { reason: "NotPublished", message: expect.stringContaining("gateways") as string }],
    ]);
  });

  it("have space for two accepted keys, also during a rotation of ours, and refuse more by name", () => {
    for (const previous of [{}, { previous: "old" }]) {
      const secret = { ...newHookSecret(now), current: "ours", ...previous };
      const sharers = ["a", "b", "a", "c"].map((accepted, at) => member(`i${at}`, { secret, accepted }));
      expect(keysOf(sharers)).toEqual(["ours", ...Object.values(previous), "a", "b"]);
      expect([...toRoutes(sharers).refused]).toEqual([
        ["uid-of-i3", { reason: "TooManyKeys", message: expect.stringContaining("a separate App") as string }],
      ]);
    }
  });

  it("do not accept a key that two of them have", () => {
    const { entries, refused } = toRoutes([member("one", { accepted: "same" }), member("two", { accepted: "same" })]);
    expect(entries.map(({ keys }) => keys.length)).toEqual([1, 1]);
    expect([...refused].map(([uid, { reason }]) => [uid, reason])).toEqual([
      ["uid-of-one", "KeyShared"],
      ["uid-of-two", "KeyShared"],
    ]);
  });
});

describe("the connections of the gateways", () => {
  const overSocket: Provider = {
    ...provider,
    ingress: {
      ...provider.ingress,
      socket: {
        settings: () => ({
          name: "Socket Mode",
          tokenRef: { name: "app", key: "token" },
          tokenPath: "spec.credentials.token",
          url: "https://github.com",
        }),
        appOf: (token) => token.split("/")[0] ?? "",
        open: unexpected("open"),
        read: () => ({ kind: "ready" }),
      },
    },
  };
  const onSocket = (name: string, accepted?: string) =>
    member(name, { provider: overSocket, ...(accepted === undefined ? {} : { accepted }) });

  it("hold the token of an integration without a webhook, which has no route", () => {
    const { entries, sockets, refused } = toRoutes([onSocket("one", "xapp-1"), member("two")]);
    expect(entries.flatMap(({ members }) => members.map(({ name }) => name))).toEqual(["two"]);
    expect([...sockets]).toEqual([
      [
        "uid-of-one",
        {
          provider: "github",
          host: "github.com",
          url: "https://github.com",
          token: Buffer.from("xapp-1").toString("base64"),
          members: [{ kind: "GitHubIntegration", namespace: "team", name: "one", uid: "uid-of-one" }],
        },
      ],
    ]);
    expect(refused.size).toBe(0);
  });

  it("are none without a token", () => {
    expect(toRoutes([onSocket("one")])).toEqual({ entries: [], sockets: new Map(), refused: new Map() });
  });

  it("are none for a token that two integrations have: the provider would give each delivery to one of them", () => {
    const { sockets, refused } = toRoutes([onSocket("one", "xapp-1"), onSocket("two", "xapp-1")]);
    expect(sockets.size).toBe(0);
    expect([...refused].map(([uid, { reason }]) => [uid, reason])).toEqual([
      ["uid-of-one", "KeyShared"],
      ["uid-of-two", "KeyShared"],
    ]);
  });

  it("are none for two tokens of one app either, but for tokens of two apps", () => {
    const { sockets, refused } = toRoutes([
      onSocket("one", "app/1"),
      onSocket("two", "app/2"),
      onSocket("other", "b/1"),
    ]);
    expect([...sockets.keys()]).toEqual(["uid-of-other"]);
    expect([...refused.keys()]).toEqual(["uid-of-one", "uid-of-two"]);
  });
});

const throwing: Provider = {
  ...provider,
  host: () => {
    throw new TypeError("Invalid URL");
  },
};
