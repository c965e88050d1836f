import { commonRoutes, startAdminPort, type Admin, type AdminHandler } from "../stand-in/admin-port.ts";
import type { SlackStandIn } from "./index.ts";
import { defined } from "../../../src/shared/defined.ts";

/** Starts the admin port of a stand-in: `POST /people/<verb>`, and the routes below. */
export function startAdmin(slack: SlackStandIn, at: { host: string; port: number }): Promise<Admin> {
  return startAdminPort({ people: peopleOf(slack), routes: routesOf(slack) }, at);
}

function routesOf(slack: SlackStandIn): Record<string, AdminHandler> {
  const asked = (url: URL, name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  return {
    ...commonRoutes(slack),
    "GET /calls": (_given, url) => slack.calls(asked(url, "method")),
    "GET /deliveries": (_given, url) => slack.deliveries(asked(url, "type")).map(({ app: _app, ...shown }) => shown),
    "GET /messages": (_given, url) =>
      slack.messages(asked(url, "channel") ?? "", defined({ as: asked(url, "as"), thread: asked(url, "thread") })),
  };
}

/** The actions of people, with results that are JSON: sets and maps become lists and objects, and references become ids. */
function peopleOf(slack: SlackStandIn): object {
  const verbs = Object.entries(slack.people) as [string, (given: unknown) => Promise<unknown>][];
  return Object.fromEntries(verbs.map(([name, verb]) => [name, async (given: unknown) => plain(await verb(given))]));
}

function plain(value: unknown, depth = 0): unknown {
  if (value instanceof Set) return [...value];
  if (value instanceof Map) return Object.fromEntries(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  if (depth > 0 && "id" in value && typeof value.id === "string") return value.id;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1)]));
}
