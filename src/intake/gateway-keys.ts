import { z } from "zod";
import { describeError } from "../shared/errors.ts";

/** The default name of the one Secret that gateways read. Only the operator writes it. */
export const gatewayKeysSecretName = "bellhop-gateway-keys";
/** The entry with the generation of the whole Secret. Route ids are longer, so no route has this name. */
const generationEntry = "generation";
/** Begins the names of entries for connections. No route id has a dot. Gateways that are older than these entries report and omit them. */
const socketPrefix = "socket.";

/** One integration that a hook serves. */
export const hookMember = z.object({
  kind: z.string().min(1).max(63),
  namespace: z.string().min(1).max(63),
  name: z.string().min(1).max(63),
  /** Distinguishes an integration from one that was recreated under the same name. */
  uid: z.string().min(1).max(64),
});

/** The data with which a gateway serves one hook. */
export const routeEntry = z.object({
  /** The opaque id in the hook's URL: `/hooks/<route>`. */
  route: z.string().regex(/^[A-Za-z0-9_-]{16,128}$/),
  provider: z.string().min(1).max(32),
  /** Host name of the provider's instance. */
  host: z.string().min(1).max(253),
  /** Increases with each change of this entry's keys. */
  generation: z.int().min(0),
  /** Webhook secrets that deliveries may be signed with, in base64: the current one, then previous ones that are still valid. */
  keys: z.array(z.base64().min(1)).min(1).max(4),
  /** The integration of the hook; for the shared hook of an App all its integrations. */
  members: z.array(hookMember).min(1).max(1_000),
});

/** The data with which a gateway holds the connection of one integration that has no webhook. */
export const socketEntry = z.object({
  provider: z.string().min(1).max(32),
  /** Host name of the provider's instance, and the web address of its API: the token is sent there only. */
  host: z.string().min(1).max(253),
  url: z.string().min(1).max(300),
  /** The token that opens connections, in base64. */
  token: z.base64().min(1).max(8_192),
  /** The one integration of the connection; a list, as the members of a route. */
  members: z.array(hookMember).length(1),
});

export type HookMember = z.infer<typeof hookMember>;
export type RouteEntry = z.infer<typeof routeEntry>;
export type SocketEntry = z.infer<typeof socketEntry>;

/** The keys and routes of all hooks and the tokens of all connections, in one generation of the Secret. */
export interface GatewayKeys {
  /** Increases with every change; a gateway shows it at `/readyz`. */
  generation: number;
  routes: ReadonlyMap<string, RouteEntry>;
  /** By uid of the integration. */
  sockets: ReadonlyMap<string, SocketEntry>;
}

/** The keys before the operator has published any. */
export const noKeys: GatewayKeys = { generation: 0, routes: new Map(), sockets: new Map() };

/**
 * Encodes the Secret's `data`: one entry for each route, keyed by the route id, one for each connection, keyed by the integration's uid, and the
 * generation. Throws `ZodError` for entries that a gateway would reject.
 */
export function encodeGatewayKeys(
  keys: Omit<GatewayKeys, "sockets"> & Partial<Pick<GatewayKeys, "sockets">>,
): Record<string, string> {
  const routes = [...keys.routes.values()].map((entry) => {
    const checked = routeEntry.parse(entry);
    return [checked.route, toBase64(JSON.stringify(checked))] as const;
  });
  const sockets = [...(keys.sockets ?? [])].map(
    ([uid, entry]) => [`${socketPrefix}${uid}`, toBase64(JSON.stringify(socketEntry.parse(entry)))] as const,
  );
  return {
    ...Object.fromEntries(routes),
    ...Object.fromEntries(sockets),
    [generationEntry]: toBase64(String(keys.generation)),
  };
}

/** Decodes the Secret's `data`. Entries that cannot be decoded are omitted and listed in `problems`, so that one bad entry does not affect the other hooks. */
export function decodeGatewayKeys(data: Record<string, string>): { keys: GatewayKeys; problems: string[] } {
  const problems: string[] = [];
  const routes = new Map<string, RouteEntry>();
  const sockets = new Map<string, SocketEntry>();
  for (const [name, value] of Object.entries(data)) {
    if (name === generationEntry) continue;
    const uid = name.startsWith(socketPrefix) ? name.slice(socketPrefix.length) : undefined;
    const entry = uid === undefined ? decodeEntry(name, value) : decodeSocket(uid, value);
    if (typeof entry === "string") problems.push(entry);
    else if ("route" in entry) routes.set(name, entry);
    else sockets.set(uid ?? "", entry);
  }
  const generation = Number(fromBase64(data[generationEntry] ?? ""));
  if (Number.isSafeInteger(generation)) return { keys: { generation, routes, sockets }, problems };
  return { keys: { generation: 0, routes, sockets }, problems: [...problems, `${generationEntry}: not a number`] };
}

function decodeEntry(name: string, value: string): RouteEntry | string {
  try {
    const entry = routeEntry.parse(JSON.parse(fromBase64(value)));
    return entry.route === name ? entry : `${shortened(name)}: the entry belongs to another route`;
  } catch (error) {
    return `${shortened(name)}: ${problemOf(error)}`;
  }
}

function decodeSocket(uid: string, value: string): SocketEntry | string {
  try {
    const entry = socketEntry.parse(JSON.parse(fromBase64(value)));
    const isOurs = entry.members.every((member) => member.uid === uid);
    return isOurs ? entry : `${socketPrefix}${uid}: the entry belongs to another integration`;
  } catch (error) {
    return `${socketPrefix}${uid}: ${problemOf(error)}`;
  }
}

function problemOf(error: unknown): string {
  const paths = error instanceof z.ZodError ? error.issues.map(({ path }) => path.join(".")).join(", ") : "";
  return paths === "" ? nameOf(error) : `invalid ${paths}`;
}

/** Names only the kind of the failure: parsers quote their input, and here the input contains a key. */
function nameOf(error: unknown): string {
  return error instanceof SyntaxError ? "not JSON" : describeError(error).slice(0, 100);
}

/** The first characters of a route id. A route id is a capability, so logs never show all of it. */
function shortened(route: string): string {
  return `${route.slice(0, 6)}…`;
}

function toBase64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function fromBase64(text: string): string {
  return Buffer.from(text, "base64").toString("utf8");
}
