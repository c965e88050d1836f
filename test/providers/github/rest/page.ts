import { api } from "../view/urls.ts";
import type { Answer, Call } from "./route.ts";

/** One page of a list (`per_page` ≤ 100, `page`), with GitHub's Link header if there is more than one page. */
export function pageOf<T>(call: Call, all: T[], wrap: (items: T[]) => unknown): Answer {
  const size = Math.min(100, positive(call.query.get("per_page"), 30));
  const page = positive(call.query.get("page"), 1);
  const last = Math.max(1, Math.ceil(all.length / size));
  const links = [
    ...(page < last ? [link(call, page + 1, "next"), link(call, last, "last")] : []),
    ...(page > 1 ? [link(call, 1, "first"), link(call, page - 1, "prev")] : []),
  ];
  const body = wrap(all.slice((page - 1) * size, page * size));
  return { status: 200, body, ...(links.length > 0 && { headers: { link: links.join(", ") } }) };
}

/** One page of deliveries, newest first, by cursor: the id of the next delivery. */
export function cursorPage<T extends { id: string }>(call: Call, newestFirst: T[], view: (item: T) => unknown): Answer {
  const size = Math.min(100, positive(call.query.get("per_page"), 30));
  const cursor = call.query.get("cursor");
  const rest =
    cursor === null ? newestFirst : newestFirst.filter((item) => BigInt(item.id) <= BigInt(cursor.replace(/^v1_/, "")));
  const next = rest[size];
  const query = new URLSearchParams(call.query);
  query.set("cursor", `v1_${next?.id}`);
  const headers = next ? { headers: { link: `<${api(call.world, call.path)}?${query.toString()}>; rel="next"` } } : {};
  return { status: 200, body: rest.slice(0, size).map(view), ...headers };
}

function positive(text: string | null, otherwise: number): number {
  const number = Number(text);
  return Number.isInteger(number) && number > 0 ? number : otherwise;
}

function link(call: Call, page: number, rel: string): string {
  const query = new URLSearchParams(call.query);
  query.set("page", String(page));
  return `<${api(call.world, call.path)}?${query.toString()}>; rel="${rel}"`;
}
