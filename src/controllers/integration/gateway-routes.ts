import { routeEntry, socketEntry, type RouteEntry, type SocketEntry } from "../../intake/gateway-keys.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";
import { describeError } from "../../shared/errors.ts";
import type { HookSecret } from "./hook-secret.ts";

/** One integration with its webhook keys. */
export interface Member {
  provider: Provider;
  integration: Integration;
  secret: HookSecret;
  /** The additional key that the integration's webhook settings name; for an integration without a webhook, the token of its connection. */
  accepted?: Buffer | undefined;
}

/** Why gateways do not serve an integration or its accepted key; becomes a condition without changes. */
export interface Refusal {
  reason: string;
  message: string;
}

/** The routes for the gateways, and by uid of the integration the parts that were refused. */
export interface Routes {
  entries: RouteEntry[];
  /** Connections, by uid of the integration. */
  sockets: ReadonlyMap<string, SocketEntry>;
  refused: ReadonlyMap<string, Refusal>;
}

/** Accepted keys of a route. A route holds four keys at most: the current and the previous one of ours (so that a rotation displaces none), and these. */
const maxAccepted = 2;

/** Pure: the routes of all members, which are sorted oldest first. Members that share a hook share a route. A fault of one route does not affect the others. */
export function toRoutes(members: readonly Member[]): Routes {
  const shared = sharedKeys(members);
  const [onSockets, onHooks] = byArrival(members.filter((member) => !isSocket(member) || !shared.has(uidOf(member))));
  const sockets = onSockets.map((member) => ({ member, entry: trySocket(member) }));
  // A key that two routes accept is removed from both.
  const safe = onHooks.map((member) => (shared.has(uidOf(member)) ? { ...member, accepted: undefined } : member));
  const groups = [...Map.groupBy(safe, ({ secret }) => secret.route).values()];
  const overLimit = groups.flatMap((group) => membersOverLimit(group));
  const built = groups.map((group) => ({ group, entry: tryRoute(group) }));
  return {
    entries: built.flatMap(({ entry }) => ("route" in entry ? [entry] : [])),
    sockets: new Map(
      sockets.flatMap(({ member, entry }) => (entry && "token" in entry ? [[uidOf(member), entry] as const] : [])),
    ),
    refused: new Map([
      ...members.flatMap((member) =>
        shared.has(uidOf(member)) ? [[uidOf(member), keyShared(keysPathOf(member))] as const] : [],
      ),
      ...overLimit.map((member) => [uidOf(member), tooManyKeys(keysPathOf(member))] as const),
      ...built.flatMap(({ group, entry }) =>
        "route" in entry ? [] : group.map((each) => [uidOf(each), entry] as const),
      ),
      ...sockets.flatMap(({ member, entry }) => (entry && "reason" in entry ? [[uidOf(member), entry] as const] : [])),
    ]),
  };
}

const keyShared = (path: string): Refusal => ({
  reason: "KeyShared",
  message: `${path} holds a key that another integration also accepts, or a token of the same app: deliveries for one could reach the other; use a different key, or an app of its own, for each integration`,
});

const tooManyKeys = (path: string): Refusal => ({
  reason: "TooManyKeys",
  message: `${path}: older integrations that share the App's hook already use the ${maxAccepted} additional keys it can have; use one of their keys, or a separate App`,
});

/** The refusal for an integration that cannot be published at all. */
export function notPublished(error: unknown): Refusal {
  return {
    reason: "NotPublished",
    message: `the integration could not be published to the gateways: ${describeError(error)}`,
  };
}

/** Members whose deliveries arrive over a connection, and those with a hook. */
function byArrival(members: readonly Member[]): [onSockets: Member[], onHooks: Member[]] {
  return [members.filter(isSocket), members.filter((member) => !isSocket(member))];
}

function isSocket({ provider, integration }: Member): boolean {
  return provider.ingress.socket?.settings(integration) !== undefined;
}

/** Undefined without a token: the refusal of the token says why. */
function trySocket(member: Member): SocketEntry | Refusal | undefined {
  const { provider, integration, accepted } = member;
  const settings = provider.ingress.socket?.settings(integration);
  if (!settings || !accepted) return undefined;
  const checked = socketEntry.safeParse({
    provider: provider.name,
    host: provider.host(integration),
    url: settings.url,
    token: accepted.toString("base64"),
    members: [memberEntry(member)],
  });
  if (checked.success) return checked.data;
  const paths = checked.error.issues.map(({ path }) => path.join("."));
  return notPublished(`the connection has invalid fields: ${paths.join(", ")}`);
}

function tryRoute(group: readonly Member[]): RouteEntry | Refusal {
  try {
    const checked = routeEntry.safeParse(toRoute(group));
    if (checked.success) return checked.data;
    const paths = checked.error.issues.map(({ path }) => path.join("."));
    return notPublished(`the route has invalid fields: ${paths.join(", ")}`);
  } catch (error) {
    return notPublished(error);
  }
}

function toRoute(group: readonly Member[]): RouteEntry {
  const [first] = group;
  if (!first) throw new TypeError("a route has no member");
  const { provider, integration, secret } = first;
  const ours = [secret.current, ...(secret.previous === undefined ? [] : [secret.previous])].map((key) =>
    Buffer.from(key),
  );
  return {
    route: secret.route,
    provider: provider.name,
    host: provider.host(integration),
    generation: secret.generation,
    keys: [...new Set([...ours.map((key) => key.toString("base64")), ...acceptedOf(group)])],
    members: group.map(memberEntry),
  };
}

function memberEntry(member: Member): RouteEntry["members"][number] {
  const { namespace, name } = member.integration.metadata;
  return { kind: member.provider.kind, namespace, name, uid: uidOf(member) };
}

/** The accepted keys that fit on a route, base64; those of the oldest integrations first. */
function acceptedOf(group: readonly Member[]): string[] {
  const all = group.flatMap(({ accepted }) => accepted?.toString("base64") ?? []);
  return [...new Set(all)].slice(0, maxAccepted);
}

function membersOverLimit(group: readonly Member[]): Member[] {
  const taken = acceptedOf(group);
  return group.filter(({ accepted }) => accepted && !taken.includes(accepted.toString("base64")));
}

/** Uids of members whose accepted key, or whose app, is on two routes: a delivery for one could be replayed, or be given, to the other. */
function sharedKeys(members: readonly Member[]): Set<string> {
  const withKey = members.filter(({ accepted }) => accepted !== undefined);
  const byKey = Map.groupBy(withKey, sharedAs);
  const clashes = [...byKey.values()].filter((group) => new Set(group.map(({ secret }) => secret.route)).size > 1);
  return new Set(clashes.flat().map(uidOf));
}

/** Names what two routes must not share: a key, or for connections the app. */
function sharedAs(member: Member): string {
  const { provider, accepted = Buffer.alloc(0) } = member;
  const { socket } = provider.ingress;
  return isSocket(member) && socket
    ? `${provider.name} app ${socket.appOf(accepted.toString("utf8"))}`
    : `key ${accepted.toString("base64")}`;
}

function keysPathOf({ provider, integration }: Member): string {
  return provider.ingress.webhook(integration).acceptedKeysPath;
}

function uidOf({ integration }: Member): string {
  return integration.metadata.uid ?? "";
}
