import { SlackFailure } from "./failure.ts";
import type { Params } from "./params.ts";

/** Slack's paging by cursor: `limit` and `cursor`, and `next_cursor` in the answer, which is empty on the last page. */
export function pageOf<T>(
  params: Params,
  items: T[],
  limits: { usual: number; most: number },
): { items: T[]; next: string } {
  const limit = limitOf(params, limits);
  const cursor = params.text("cursor");
  const start = cursor === undefined || cursor === "" ? 0 : decode(cursor);
  const end = start + limit;
  return { items: items.slice(start, end), next: end < items.length ? encode(end) : "" };
}

function limitOf(params: Params, limits: { usual: number; most: number }): number {
  const text = params.text("limit");
  if (text === undefined || text === "0") return limits.usual;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.most) throw new SlackFailure("invalid_limit");
  return limit;
}

function encode(offset: number): string {
  return Buffer.from(`next:${offset}`).toString("base64");
}

function decode(cursor: string): number {
  const found = /^next:(\d+)$/.exec(Buffer.from(cursor, "base64").toString());
  if (!found) throw new SlackFailure("invalid_cursor");
  return Number(found[1]);
}
