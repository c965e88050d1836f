import { hasMoreValues } from "../has-more-values.ts";
import type { Delivery } from "../ingress.ts";

/** The media type of interactions and slash commands. */
export const formType = "application/x-www-form-urlencoded";

/** Far more values than Slack sends. The cost limit of trigger rules relies on this bound. */
export const maxValues = 50_000;

/** Slack sends fewer than twenty fields. */
const maxFields = 100;

/** The parsed body of a delivery. `interaction`: the JSON in a form's field `payload`. `form`: the fields of any other form. */
export type Body =
  | { kind: "event" | "interaction" | "form"; value: Record<string, unknown> }
  | { kind: "malformed"; path: string; message: string };

/** Parses the body of a delivery; the `Content-Type` says whether it is a form or JSON. Never throws. */
export function readBody({ headers, body }: Pick<Delivery, "headers" | "body">): Body {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return isForm(headers) ? readForm(text.toString("utf8")) : readJson(text, "event", "body");
}

function isForm(headers: Delivery["headers"]): boolean {
  return headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase() === formType;
}

function readForm(text: string): Body {
  if (text.split("&", maxFields + 1).length > maxFields)
    return malformed("body", `the form has more than ${maxFields} fields; Slack sends a fraction of that`);
  const fields = new URLSearchParams(text);
  const payload = fields.get("payload");
  if (payload !== null) return readJson(Buffer.from(payload), "interaction", "payload");
  return { kind: "form", value: Object.fromEntries(fields) };
}

function readJson(bytes: Buffer, kind: "event" | "interaction", path: string): Body {
  if (hasMoreValues(bytes, maxValues))
    return malformed(path, `the JSON has more than ${maxValues} values; Slack sends a few hundred`);
  const value = parse(bytes);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return malformed(path, "it is not a JSON object; a proxy may have changed the delivery on its way");
  return { kind, value: value as Record<string, unknown> };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined; // The caller answers "malformed". The parser's message may quote the body, so it is dropped.
  }
}

function malformed(path: string, message: string): Body {
  return { kind: "malformed", path, message };
}
