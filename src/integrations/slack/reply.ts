import type { Delivery, HttpReply, Ingress } from "../ingress.ts";
import { readBody } from "./body.ts";
import { noChoices } from "./choices.ts";
import { inert, shortened } from "./report/inert.ts";

type Answer = Parameters<NonNullable<Ingress["reply"]>>[0];

/** Slack repeats deliveries of events that get another status than 2xx; for these the same delivery may succeed later. */
const worthRetrying = new Set([429, 503]);

const maxCharacters = 3_000;

/**
 * The answer as Slack expects it. Events: the status, and a header against retries that cannot succeed. Slash commands: a text that only the
 * person sees. Interactions: Slack shows an error for any status but 200, so only those get one that the person should repeat. Menus: no choices.
 */
export function reply(answer: Answer, delivery: Delivery): HttpReply {
  if (answer.status === 401) return forEvent(answer.status);
  const body = readBody(delivery);
  if (body.kind === "form" && "command" in body.value) return forCommand(answer);
  if (body.kind === "interaction") return forInteraction(answer, body.value["type"]);
  return forEvent(answer.status);
}

function forEvent(status: number): HttpReply {
  if (status < 300) return { status: 200, body: "" };
  return { status, ...(worthRetrying.has(status) ? {} : { headers: { "x-slack-no-retry": "1" } }), body: "" };
}

function forInteraction({ status }: Answer, type: unknown): HttpReply {
  if (worthRetrying.has(status)) return { status, body: "" };
  return type === "block_suggestion" ? noChoices : { status: 200, body: "" };
}

/** The words are an element of rich text, which Slack shows as it is: in `text` it would make links of addresses and mentions. */
function forCommand(answer: Answer): HttpReply {
  const text = shortened(inert(textFor(answer)), maxCharacters);
  const elements = [{ type: "rich_text_section", elements: [{ type: "text", text }] }];
  return {
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify({ response_type: "ephemeral", text: "Bellhop", blocks: [{ type: "rich_text", elements }] }),
  };
}

/** Reasons with a message that is an answer of its own. */
const complete = new Set(["Help", "NeedsThread"]);

/** The immediate answer to a command; the operator gives the other one. */
const follows = "The answer follows: only you will see it.";

function textFor({ status, body }: Answer): string {
  if (worthRetrying.has(status)) return `The request could not be stored; send it again. (${body.reason})`;
  if (body.status === "accepted") return body.command === undefined ? "The request is accepted." : follows;
  if (body.status === "duplicate") return "This request was accepted before.";
  if (complete.has(body.reason)) return body.message;
  return body.status === "ignored"
    ? `Nothing was started: ${body.message}`
    : `The request was refused (${body.reason}): ${body.message}`;
}
