import { z } from "zod";

/** The ConfigMap in which the operator tells gateways what they need to decide; an entry an integration, its uid the key. */
export const gatewayFactsConfigMapName = "bellhop-gateway-facts";

/** What the operator publishes of one integration. */
export const integrationFacts = z.object({
  /** Beginnings of branch names that tasks of this integration push to; failed checks ring for these only. */
  branchPrefixes: z.array(z.string().min(1).max(100)).max(64).default([]),
  /** Name of the Secret with its route and key: for the operator's own sweep, gateways cannot read it. */
  hookSecret: z
    .string()
    .regex(/^bellhop-hook-[0-9a-f]{32}$/)
    .optional(),
});
export type IntegrationFacts = z.infer<typeof integrationFacts>;

/** Of an integration that nothing is published of. */
export const noFacts: IntegrationFacts = { branchPrefixes: [] };

/** One entry of the ConfigMap's `data`. */
export function encodeFacts(facts: IntegrationFacts): string {
  return JSON.stringify(integrationFacts.parse(facts));
}

/** Reads one entry; what cannot be read counts as nothing published, so that no check rings by mistake. */
export function decodeFacts(text: string | undefined): IntegrationFacts {
  if (text === undefined) return noFacts;
  try {
    return integrationFacts.parse(JSON.parse(text));
  } catch {
    return noFacts; // the operator repairs what it owns; until then no failed check signals
  }
}
