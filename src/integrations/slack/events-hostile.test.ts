import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import type { Delivery, Normalised } from "../ingress.ts";
import { deliveryId, normalise } from "./events.ts";
import { reply } from "./reply.ts";
import { aContext, aFormDelivery, anEventDelivery, anInteractionDelivery, bot } from "./testing.ts";

const ts = "1767355200.000100";
const offered = [{ name: "acme/shop" }, { name: "acme/vault", places: ["C2"] }];
const context = aContext({ offered, isLive: (conversation) => conversation.endsWith("/1767350000.000001") });

const message = {
  type: "message",
  client_msg_id: "9cbd4c5b",
  channel: "C1",
  channel_type: "channel",
  user: "U1",
  text: "<@UBOT> fix *it* `now` &lt;b&gt; <https://x.example|here>",
  ts,
  event_ts: ts,
};
const callback = (event: object): object => ({
  type: "event_callback",
  token: "t",
  team_id: "T1",
  enterprise_id: "E1",
  api_app_id: "A1",
  event,
  event_id: "Ev1",
  event_time: 1767355200,
  authorizations: [{ enterprise_id: "E1", team_id: "T1", user_id: "UBOT", is_bot: true, is_enterprise_install: false }],
});
const interaction = {
  team: { id: "T1", domain: "acme" },
  enterprise: { id: "E1" },
  is_enterprise_install: false,
  user: { id: "U1", username: "ada", name: "ada" },
  api_app_id: "A1",
  trigger_id: "1.2.a",
  channel: { id: "C1", name: "general" },
};
const click = (action: object): object => ({
  ...interaction,
  type: "block_actions",
  container: { type: "message", message_ts: ts, thread_ts: ts, channel_id: "C1" },
  message: { user: "UBOT", app_id: "A1", ts, thread_ts: ts },
  actions: [{ action_ts: ts, type: "button", ...action }],
});
const command = {
  command: "/bellhop",
  text: "fix <@UBOT> it",
  trigger_id: "1.2.a",
  team_id: "T1",
  enterprise_id: "E1",
  is_enterprise_install: "false",
  channel_id: "C1",
  channel_name: "general",
  user_id: "U1",
  user_name: "ada",
};

type Kind = "event" | "interaction" | "form";
const examples: { kind: Kind; body: object }[] = [
  callback(message),
  callback({ ...message, type: "app_mention" }),
  callback({ ...message, channel: "D1", channel_type: "im" }),
  callback({ ...message, text: "and the docs", thread_ts: "1767350000.000001" }),
  callback({ type: "tokens_revoked", tokens: { bot: ["U1"] } }),
  { type: "url_verification", challenge: "c" },
  { type: "app_rate_limited", team_id: "T1" },
]
  .map((body) => ({ kind: "event" as Kind, body }))
  .concat(
    [
      click({ action_id: "bellhop/stop", value: "stop:slack-abc" }),
      click({ action_id: "bellhop/use", block_id: "bellhop/use:slack-abc", selected_option: { value: "acme/shop" } }),
      click({ action_id: "bellhop/choose", value: "choose:slack-abc" }),
      {
        ...interaction,
        type: "block_suggestion",
        action_id: "bellhop/use",
        block_id: "bellhop/use:slack-abc",
        value: "sh",
      },
      { ...interaction, type: "message_action", callback_id: "bellhop", action_ts: ts, message },
    ].map((body) => ({ kind: "interaction" as Kind, body })),
    [command, { ...command, text: "help" }, { ssl_check: "1" }].map((body) => ({ kind: "form" as Kind, body })),
  );

/** A body as text, and the position of each of its values in it. */
interface Payload {
  kind: Kind;
  text: string;
  values: [start: number, end: number][];
}

const payloads = examples.map(({ kind, body }) => (kind === "form" ? formOf(body) : jsonOf(kind, body)));

function jsonOf(kind: Kind, body: object): Payload {
  const values: Payload["values"] = [];
  const write = (value: unknown, at: number): string => {
    const json = composite(value, at) ?? JSON.stringify(value);
    values.push([at, at + json.length]);
    return json;
  };
  const composite = (value: unknown, at: number): string | undefined => {
    if (typeof value !== "object" || value === null) return undefined;
    const isList = Array.isArray(value);
    let json = isList ? "[" : "{";
    for (const [key, inner] of Object.entries(value)) {
      json += `${json.length > 1 ? "," : ""}${isList ? "" : `${JSON.stringify(key)}:`}`;
      json += write(inner, at + json.length);
    }
    return json + (isList ? "]" : "}");
  };
  return { kind, text: write(body, 0), values };
}

function formOf(body: object): Payload {
  const values: Payload["values"] = [];
  let text = "";
  for (const [name, value] of Object.entries(body)) {
    text += `${text === "" ? "" : "&"}${name}=`;
    const written = encodeURIComponent(String(value));
    values.push([text.length, text.length + written.length]);
    text += written;
  }
  return { kind: "form", text, values };
}

const strings = [
  "| |x|../..|a/b#1|\u0000|\ud800|__proto__|constructor|UBOT|U1|D1|T1/C1|im|mpim|message_changed|file_share|app_mention".split(
    "|",
  ),
  "block_actions|view_submission|bellhop/approve|bellhop/__proto__|9999999999999999.1|-1.5|1.5|```|&gt;&gt;&gt;|stop|true".split(
    "|",
  ),
  ["<@UBOT> ".repeat(40), "<@UBOT|", "&amp;".repeat(50), "<!channel> <#C1|x> <!date^1^{date}^x|y>", "f".repeat(300)],
].flat();
/** Text to insert instead of a value; the last ones are invalid. */
const hostile: Readonly<Record<Kind, readonly string[]>> = {
  event: json(),
  interaction: json(),
  form: [
    ...strings.map(quoted),
    "%",
    "%zz",
    "%ff%fe",
    "&&&",
    "&text=b",
    "&payload={}",
    "&payload=[",
    "&__proto__=a",
    "=",
  ],
};

function json(): string[] {
  const values = "null|true|0|-1|1.5|1e21|1e999|9007199254740993|[]|{}|[null]|[[[]]]".split("|");
  const objects = [
    '{"__proto__":null}',
    '{"id":{}}',
    '{"id":"UBOT"}',
    '{"toString":1}',
    '{"type":"message"}',
    "NaN",
    "",
  ];
  return [...values, ...strings.map((text) => JSON.stringify(text)), ...objects];
}

function quoted(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function rarely<T>(what: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 14, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: what });
}

/** A body in which one or two values are replaced, or which is truncated, or sent as another kind. */
const deliveryFrom = (from: readonly Payload[]): fc.Arbitrary<{ kind: Kind; text: string }> =>
  fc
    .record({
      payload: fc.constantFrom(...from),
      changes: fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 2 }),
      cutAt: rarely(fc.nat()),
      kind: rarely(fc.constantFrom<Kind>("event", "interaction", "form")),
    })
    .map(({ payload, changes, cutAt, kind }) => {
      const text = changed(payload, changes);
      return { kind: kind ?? payload.kind, text: cutAt === undefined ? text : text.slice(0, cutAt % text.length) };
    });

function changed({ kind, text: given, values }: Payload, changes: [at: number, by: number][]): string {
  const texts = hostile[kind];
  const places = changes
    .map(([at, by]) => ({ place: values[at % values.length] ?? [0, 0], by: texts[by % texts.length] ?? "" }))
    .toSorted((a, b) => b.place[0] - a.place[0]);
  let text = given;
  let before = text.length;
  for (const { place, by } of places) {
    const [start, end] = place;
    if (end <= before) text = text.slice(0, start) + by + text.slice(end);
    before = start;
  }
  return text;
}

function deliveryOf({ kind, text }: { kind: Kind; text: string }): Delivery {
  if (kind === "event") return anEventDelivery(text);
  return kind === "interaction" ? anInteractionDelivery(text) : aFormDelivery(text);
}

describe("normalise, with manipulated bodies", () => {
  it("starts from bodies that give events", () => {
    const outcomes = payloads.map((payload) => normalise(deliveryOf(payload), context).outcome);
    expect(outcomes).not.toContain("malformed");
    expect(outcomes.filter((outcome) => outcome === "event")).toHaveLength(9);
  });

  it.each([
    ["an event", "event", ["event", "handshake", "ignored", "malformed"]],
    ["a click, a menu and a shortcut", "interaction", ["event", "ignored", "malformed", "reply"]],
    ["a command and a form", "form", ["event", "ignored", "malformed"]],
  ] as const)("returns a complete event or a reason for any body of %s, and an answer for it", (_, kind, outcomes) => {
    const seen = { event: 0, handshake: 0, ignored: 0, malformed: 0, reply: 0 };
    const bodies = deliveryFrom(payloads.filter((payload) => payload.kind === kind));
    fc.assert(
      fc.property(bodies, (given) => {
        const received = deliveryOf(given);
        const found = normalise(received, context);
        seen[found.outcome] += 1;
        const isAnswered = reply({ status: 200, body: answer }, received).status === 200;
        return isAnswered && deliveryId(received) !== "" && wrongWith(found) === undefined;
      }),
      { seed: 20_261_127, numRuns: thorough(100_000, 3_500) },
    );
    const least = Math.min(...outcomes.map((outcome) => seen[outcome]));
    expect(least, JSON.stringify(seen)).toBeGreaterThan(thorough(1_000, 35));
  });

  it("returns an outcome for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(anEventDelivery, aFormDelivery), (body, build) => {
        const received = { ...build(""), body };
        const { outcome } = normalise(received, context);
        return (outcome === "ignored" || outcome === "malformed") && deliveryId(received) === undefined;
      }),
      { seed: 7, numRuns: thorough(100_000) },
    );
  });
});

const answer = { status: "ignored", reason: "Reason", message: "Why." };
const idForm = /^[A-Za-z0-9-]+$/;
const causeForm = /^slack\/((action|command|shortcut)\/)?[A-Za-z0-9-]+\/[A-Za-z0-9./_-]+$/;

/** The problem of an answer that is incomplete for the gateway or for a person, if there is one. */
function wrongWith(found: Normalised): string | undefined {
  if (found.outcome === "reply") return isListOfChoices(found.reply.body) ? undefined : "no choices";
  if (found.outcome === "handshake") return found.reply.status === 200 ? undefined : "no answer";
  if (found.outcome === "ignored") return found.reason === "" || found.message === "" ? "no reason" : undefined;
  if (found.outcome === "malformed")
    return found.path.length > 100 || found.message.length > 300 ? "too long" : undefined;
  const { cause, actor, object, subject, conversation, instance, installationId = "", signals } = found.event;
  if (!causeForm.test(cause) || cause.length > 512) return "no cause";
  if (actor.id === bot.id && cause.startsWith("slack/T1/")) return "the bot triggers";
  if (![actor.id, instance, installationId].every((id) => idForm.test(id))) return "no id";
  if (actor.login === "" || object.id === "" || object.id.length > 128) return "no name";
  if (!/^(#|slack )/.test(subject.key) || subject.key.length > 253) return "no subject";
  if (!conversation.startsWith(`${instance}/`) || conversation.length > 253) return "no conversation";
  return signals.length === 1 ? undefined : "no signal";
}

/** The hostile channels are not C2, so the repository that is mapped to it is never a choice. */
function isListOfChoices(body: string): boolean {
  const { options } = JSON.parse(body) as { options: { value: string }[] };
  return options.every(({ value }) => value === "acme/shop");
}
