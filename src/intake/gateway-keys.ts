import { z } from "zod";
import { describeError } from "../shared/errors.ts";

/** The one Secret that gateways read, unless the installation names another. Written by the operator only. */
export const gatewayKeysSecretName = "bellhop-gateway-keys";
/** The entry that holds the generation of the whole; route ids are longer, so none is called this. */
const generationEntry = "generation";

/** One integration that is served by a hook. */
export const hookMember = z.object({
  kind: z.string().min(1).max(63),
  namespace: z.string().min(1).max(63),
  name: z.string().min(1).max(63),
  /** An integration made anew under the same name is another one. */
  uid: z.string().min(1).max(64),
});

/** What a gateway needs to serve one hook. */
export const routeEntry = z.object({
  /** The opaque id in the hook's URL: `/hooks/<route>`. */
  route: z.string().regex(/^[A-Za-z0-9_-]{16,128}$/),
  provider: z.string().min(1).max(32),
  /** Host name of the provider's instance. */
  host: z.string().min(1).max(253),
  /** Counts the changes of this entry's keys. */
  generation: z.int().min(0),
  /** Secrets that deliveries may be signed with, base64: the current one, then older ones that are still good. */
  keys: z.array(z.base64().min(1)).min(1).max(4),
  /** One, or for an App's shared hook all its integrations. */
  members: z.array(hookMember).min(1).max(1_000),
});

export type HookMember = z.infer<typeof hookMember>;
export type RouteEntry = z.infer<typeof routeEntry>;

/** All hooks, as of one generation. */
export interface GatewayKeys {
  /** Grows with every change; a gateway tells it beside `/readyz`. */
  generation: number;
  routes: ReadonlyMap<string, RouteEntry>;
}

/** Nothing published yet. */
export const noKeys: GatewayKeys = { generation: 0, routes: new Map() };

/** The Secret's `data`: one entry a route, its id the key, and the generation. Throws `ZodError` for entries that no gateway would read. */
export function encodeGatewayKeys(keys: GatewayKeys): Record<string, string> {
  const entries = [...keys.routes.values()].map((entry) => {
    const checked = routeEntry.parse(entry);
    return [checked.route, toBase64(JSON.stringify(checked))] as const;
  });
  return { ...Object.fromEntries(entries), [generationEntry]: toBase64(String(keys.generation)) };
}

/** Reads the Secret's `data`. Entries that cannot be read are left out and named, so that one does not take the others down. */
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
    return entry.route === name ? entry : `${shortened(name)}: the entry is of another route`;
  } catch (error) {
    const paths = error instanceof z.ZodError ? error.issues.map(({ path }) => path.join(".")).join(", ") : "";
    return `${shortened(name)}: ${paths === "" ? nameOf(error) : `wrong at ${paths}`}`;
  }
}

/** Parsers quote what they read, and here that is a key: only the kind of the failure is told. */
function nameOf(error: unknown): string {
  return error instanceof SyntaxError ? "not JSON" : describeError(error).slice(0, 100);
}

/** A route id is a capability: logs get its beginning. */
function shortened(route: string): string {
  return `${route.slice(0, 6)}…`;
}

function toBase64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function fromBase64(text: string): string {
  return Buffer.from(text, "base64").toString("utf8");
}
