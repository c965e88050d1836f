import { z } from "zod";
import { describeError } from "../shared/errors.ts";

/** The default name of the one Secret that gateways read. Only the operator writes it. */
export const gatewayKeysSecretName = "bellhop-gateway-keys";
/** The entry with the generation of the whole Secret. Route ids are longer, so no route has this name. */
const generationEntry = "generation";

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

export type HookMember = z.infer<typeof hookMember>;
export type RouteEntry = z.infer<typeof routeEntry>;

/** The keys and routes of all hooks, in one generation of the Secret. */
export interface GatewayKeys {
  /** Increases with every change; a gateway shows it at `/readyz`. */
  generation: number;
  routes: ReadonlyMap<string, RouteEntry>;
}

/** The keys before the operator has published any. */
export const noKeys: GatewayKeys = { generation: 0, routes: new Map() };

/** Encodes the Secret's `data`: one entry for each route, keyed by the route id, and the generation. Throws `ZodError` for entries that a gateway would reject. */
export function encodeGatewayKeys(keys: GatewayKeys): Record<string, string> {
  const entries = [...keys.routes.values()].map((entry) => {
    const checked = routeEntry.parse(entry);
    return [checked.route, toBase64(JSON.stringify(checked))] as const;
  });
  return { ...Object.fromEntries(entries), [generationEntry]: toBase64(String(keys.generation)) };
}

/** Decodes the Secret's `data`. Entries that cannot be decoded are omitted and listed in `problems`, so that one bad entry does not affect the other hooks. */
export function decodeGatewayKeys(data: Record<string, string>): { keys: GatewayKeys; problems: string[] } {
  const problems: string[] = [];
  const routes = new Map<string, RouteEntry>();
  for (const [name, value] of Object.entries(data)) {
    if (name === generationEntry) continue;
    const entry = decodeEntry(name, value);
    if (typeof entry === "string") problems.push(entry);
    else routes.set(name, entry);
  }
  const generation = Number(fromBase64(data[generationEntry] ?? ""));
  if (!Number.isSafeInteger(generation)) problems.push(`${generationEntry}: not a number`);
  return { keys: { generation: Number.isSafeInteger(generation) ? generation : 0, routes }, problems };
}

function decodeEntry(name: string, value: string): RouteEntry | string {
  try {
    const entry = routeEntry.parse(JSON.parse(fromBase64(value)));
    return entry.route === name ? entry : `${shortened(name)}: the entry belongs to another route`;
  } catch (error) {
    const paths = error instanceof z.ZodError ? error.issues.map(({ path }) => path.join(".")).join(", ") : "";
    return `${shortened(name)}: ${paths === "" ? nameOf(error) : `invalid ${paths}`}`;
  }
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
