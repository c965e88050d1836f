import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import type { Normalised } from "../ingress.ts";
import { normalise } from "./events.ts";

const context = {
  bot: { id: "99", login: "bellhop[bot]", mention: "bellhop" },
  host: "github.com",
  isLive: () => false,
  offered: [],
};
const acting = [
  "issue_comment",
  "issues",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "workflow_run",
  "check_suite",
];

/** A payload as text, and the position of each of its values in it. */
interface Payload {
  name: string;
  json: string;
  values: [start: number, end: number][];
}

type Example = { name: string; examples: object[] };
const examples = createRequire(import.meta.url)("@octokit/webhooks-examples") as Example[];
const payloads = examples
  .filter(({ name }) => acting.includes(name))
  .flatMap(({ name, examples: bodies }) => bodies.map((body) => payloadOf(name, body)));

/** The payload without its URLs, which are most of it and which no code reads. Every text mentions the bot. */
function payloadOf(name: string, body: object): Payload {
  const values: Payload["values"] = [];
  const write = (key: string, value: unknown, at: number): string => {
    const json = key === "body" ? '"@bellhop go"' : (composite(value, at) ?? JSON.stringify(value));
    values.push([at, at + json.length]);
    return json;
  };
  const composite = (value: unknown, at: number): string | undefined => {
    if (typeof value !== "object" || value === null) return undefined;
    const isList = Array.isArray(value);
    let json = isList ? "[" : "{";
    for (const [key, inner] of Object.entries(value).filter(([known]) => !/_url$|^url$|^_links$/.test(known))) {
      json += `${json.length > 1 ? "," : ""}${isList ? "" : `${JSON.stringify(key)}:`}`;
      json += write(key, inner, at + json.length);
    }
    return json + (isList ? "]" : "}");
  };
  return { name, json: write("", body, 0), values };
}

/** JSON to insert instead of a value; the last one is invalid. */
const hostile = fc.constantFrom(
  ..."null|true|0|-1|1.5|1e21|1e999|9007199254740993|[]|{}|[null]|[[[]]]".split("|"),
  ...["", " ", "x", "../..", "a/b#1", "@bellhop ".repeat(40), "\u0000", "\ud800", "__proto__", "constructor"].map(
    (text) => JSON.stringify(text),
  ),
  ...["99", "bellhop[bot]", "2026-99-99T99:99:99Z", "+275760-09-13T00:00:00.001Z", "f".repeat(40), "x".repeat(300)].map(
    (text) => JSON.stringify(text),
  ),
  '{"__proto__":null}',
  '{"id":1,"login":"bellhop[bot]"}',
  '{"id":{}}',
  '{"toString":1}',
  "NaN",
  "",
);
const change = fc.tuple(fc.nat(), hostile);

function rarely<T>(what: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 14, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: what });
}

/** A payload in which one or two values are replaced, or which is truncated. */
const delivery = fc
  .record({
    payload: fc.constantFrom(...payloads),
    changes: fc.array(change, { minLength: 1, maxLength: 2 }),
    cutAt: rarely(fc.nat()),
    event: rarely(fc.constantFrom(...acting, "ping", "__proto__", "toString")),
  })
  .map(({ payload, changes, cutAt, event }) => {
    const places = changes
      .map(([at, by]) => ({ place: payload.values[at % payload.values.length] ?? [0, 0], by }))
      .toSorted((a, b) => b.place[0] - a.place[0]);
    let text = payload.json;
    let before = text.length;
    for (const {
      place: [start, end],
      by,
    } of places) {
      if (end <= before) text = text.slice(0, start) + by + text.slice(end);
      before = start;
    }
    return { event: event ?? payload.name, text: cutAt === undefined ? text : text.slice(0, cutAt % text.length) };
  });

function deliver(event: string, text: string): Normalised {
  const headers: Record<string, string> = { "x-github-event": event };
  const get = (name: string): string | undefined => headers[name];
  return normalise({ body: Buffer.from(text), receivedAt: new Date(0), headers: { get } }, context);
}

describe("normalise, with manipulated bodies", () => {
  it("starts from bodies that give events", () => {
    const outcomes = payloads.map(({ name, json }) => deliver(name, json).outcome);
    expect(payloads.length).toBeGreaterThan(50);
    expect(outcomes).not.toContain("malformed");
    expect(outcomes.filter((outcome) => outcome === "event").length).toBeGreaterThan(20);
  });

  it("returns a complete event or a reason for any body", () => {
    const seen = { event: 0, ignored: 0, malformed: 0, handshake: 0, reply: 0 };
    fc.assert(
      fc.property(delivery, ({ event, text }) => {
        const found = deliver(event, text);
        seen[found.outcome] += 1;
        return wrongWith(found) === undefined;
      }),
      { seed: 20_261_124, numRuns: thorough(100_000) },
    );
    const { handshake, reply, ...others } = seen;
    expect([handshake, reply]).toEqual([0, 0]);
    expect(Math.min(...Object.values(others)), JSON.stringify(seen)).toBeGreaterThan(thorough(5_000));
  });
});

/** Why a result is unusable for the gateway or for a person; undefined if it is usable. */
function wrongWith(found: Normalised): string | undefined {
  if (found.outcome === "ignored") return found.reason === "" || found.message === "" ? "no reason" : undefined;
  if (found.outcome === "malformed")
    return found.path.length > 100 || found.message.length > 300 ? "too long" : undefined;
  if (found.outcome === "handshake" || found.outcome === "reply") return "GitHub asks nothing";
  const { event, cause, actor, repository, subject, signals } = found.event;
  if (!repository) return "no repository";
  const isBot = actor.id === context.bot.id || actor.login === context.bot.login;
  if (!/^[a-z_]+\/[^/]/.test(cause)) return "no cause";
  if (isBot && event !== "workflow_run" && event !== "check_suite") return "the bot triggers";
  if ([actor.id, actor.login, repository.id, repository.owner, repository.name].includes("")) return "no name";
  if (!subject.key.startsWith(`${repository.owner}/${repository.name}`)) return "a subject of another repository";
  return signals.length > 0 ? undefined : "no signal";
}
