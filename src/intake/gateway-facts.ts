import { createHash } from "node:crypto";
import { z } from "zod";

/** The ConfigMap in which the operator publishes facts for the decisions of gateways: one entry for each integration, keyed by its uid. */
export const gatewayFactsConfigMapName = "bellhop-gateway-facts";

/** The facts of all integrations share a ConfigMap of 1 MiB. */
export const maxLiveThreads = 500;

/** Chats show at most this many choices in a menu. */
export const maxOffered = 100;

/** The key of a conversation in `liveThreads`: short, and without the names in it. */
export function threadKey(conversation: string): string {
  return createHash("sha256").update(conversation).digest("base64url").slice(0, 16);
}

/** The facts that the operator publishes about one integration. */
export const integrationFacts = z.object({
  /** Prefixes of the branches that tasks of this integration push to. Failed checks create tasks only for these branches. */
  branchPrefixes: z.array(z.string().min(1).max(100)).max(64).default([]),
  /** Threads in which messages need no mention, because the bot was called there; each by `threadKey`, the newest first. */
  liveThreads: z.array(z.string().max(32)).max(maxLiveThreads).default([]),
  /** The repositories that people may choose from in a menu. */
  offered: z
    .array(
      z.object({
        name: z.string().min(3).max(201),
        places: z.array(z.string().min(1).max(64)).max(256).optional(),
      }),
    )
    .max(maxOffered)
    .default([]),
  /** Name of the Secret with the integration's route and key. Used by the operator's cleanup; gateways cannot read this Secret. */
  hookSecret: z
    .string()
    .regex(/^bellhop-hook-[0-9a-f]{32}$/)
    .optional(),
});
export type IntegrationFacts = z.infer<typeof integrationFacts>;

/** The facts of an integration for which nothing is published. */
export const noFacts: IntegrationFacts = { branchPrefixes: [], liveThreads: [], offered: [] };

/** Encodes the facts of one integration as an entry of the ConfigMap's `data`. */
export function encodeFacts(facts: IntegrationFacts): string {
  return JSON.stringify(integrationFacts.parse(facts));
}

/** Decodes one entry. An entry that cannot be decoded counts as not published, so that no failed check creates a task by mistake. */
export function decodeFacts(text: string | undefined): IntegrationFacts {
  if (text === undefined) return noFacts;
  try {
    return integrationFacts.parse(JSON.parse(text));
  } catch {
    return noFacts; // the operator repairs the entry; until then no failed check creates a task
  }
}

/** Reads published facts by the uid of their integration. Each delivery asks several times, so an entry is decoded only when its text has changed. */
export function factsReader(entryOf: (uid: string) => string | undefined): (uid: string) => IntegrationFacts {
  const decoded = new Map<string, { text: string; facts: IntegrationFacts }>();
  return (uid) => {
    const text = entryOf(uid);
    if (text === undefined) {
      decoded.delete(uid);
      return noFacts;
    }
    const known = decoded.get(uid);
    if (known?.text === text) return known.facts;
    const facts = decodeFacts(text);
    decoded.set(uid, { text, facts });
    return facts;
  };
}
