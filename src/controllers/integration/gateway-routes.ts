import { routeEntry, type RouteEntry } from "../../intake/gateway-keys.ts";
import type { Integration, Provider } from "../../integrations/types.ts";
import { describeError } from "../../shared/errors.ts";
import type { HookSecret } from "./hook-secret.ts";

/** One integration with its keys. */
export interface Member {
  provider: Provider;
  integration: Integration;
  secret: HookSecret;
  /** What `acceptedKeysRef` holds. */
  accepted?: Buffer | undefined;
}

/** Why something of an integration is not served: becomes a condition word for word. */
export interface Refusal {
  reason: string;
  message: string;
}

/** What the gateways are to serve, and by uid whose part could not be taken. */
export interface Routes {
  entries: RouteEntry[];
  refused: ReadonlyMap<string, Refusal>;
}

/** A route holds four keys at most: ours, the one before (a rotation must take nobody's place), and so many accepted ones. */
const maxAccepted = 2;

/** Pure: the routes of all members, given oldest first; those that share a hook together. What is wrong with one takes no other away. */
export function toRoutes(members: readonly Member[]): Routes {
  const shared = sharedKeys(members);
  // A key that opens two routes opens none.
  const safe = members.map((member) => (shared.has(uidOf(member)) ? { ...member, accepted: undefined } : member));
  const groups = [...Map.groupBy(safe, ({ secret }) => secret.route).values()];
  const crowdedOut = groups.flatMap((group) => withoutPlace(group));
  const built = groups.map((group) => ({ group, entry: tryRoute(group) }));
  return {
    entries: built.flatMap(({ entry }) => ("route" in entry ? [entry] : [])),
    refused: new Map([
      ...[...shared].map((uid) => [uid, keyShared] as const),
      ...crowdedOut.map((member) => [uidOf(member), tooManyKeys] as const),
      ...built.flatMap(({ group, entry }) =>
        "route" in entry ? [] : group.map((each) => [uidOf(each), entry] as const),
      ),
    ]),
  };
}

const keyShared: Refusal = {
  reason: "KeyShared",
  message:
    "spec.webhook.acceptedKeysRef holds a key that another integration accepts too: whoever can sign for one could play its deliveries to the other; give each its own",
};

const tooManyKeys: Refusal = {
  reason: "TooManyKeys",
  message: `spec.webhook.acceptedKeysRef: the older integrations that share the App's hook bring ${maxAccepted} further keys already, and it takes no more; use one of theirs, or an App of its own`,
};

/** The refusal of what cannot be published at all. */
export function notPublished(error: unknown): Refusal {
  return { reason: "NotPublished", message: `cannot be published to the gateways: ${describeError(error)}` };
}

function tryRoute(group: readonly Member[]): RouteEntry | Refusal {
  try {
    const checked = routeEntry.safeParse(toRoute(group));
    if (checked.success) return checked.data;
    const paths = checked.error.issues.map(({ path }) => path.join("."));
    return notPublished(`the gateways would not read ${paths.join(", ")}`);
  } catch (error) {
    return notPublished(error);
  }
}

function toRoute(group: readonly Member[]): RouteEntry {
  const [first] = group;
  if (!first) throw new TypeError("a route without a member");
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
    members: group.map((member) => ({
      kind: member.provider.kind,
      namespace: member.integration.metadata.namespace,
      name: member.integration.metadata.name,
      uid: uidOf(member),
    })),
  };
}

/** The accepted keys for which a route has room, base64; the oldest integrations' first. */
function acceptedOf(group: readonly Member[]): string[] {
  const all = group.flatMap(({ accepted }) => accepted?.toString("base64") ?? []);
  return [...new Set(all)].slice(0, maxAccepted);
}

function withoutPlace(group: readonly Member[]): Member[] {
  const taken = acceptedOf(group);
  return group.filter(({ accepted }) => accepted && !taken.includes(accepted.toString("base64")));
}

/** A key that opens two routes lets a delivery for one be played to the other. */
function sharedKeys(members: readonly Member[]): Set<string> {
  const withKey = members.filter(({ accepted }) => accepted !== undefined);
  const byKey = Map.groupBy(withKey, ({ accepted }) => accepted?.toString("base64"));
  const clashes = [...byKey.values()].filter((group) => new Set(group.map(({ secret }) => secret.route)).size > 1);
  return new Set(clashes.flat().map(uidOf));
}

function uidOf({ integration }: Member): string {
  return integration.metadata.uid ?? "";
}
