import type { EventRepository, Integration, Provider } from "../integrations/types.ts";

/** An integration as the API server stored it. */
export type StoredIntegration = Integration & { metadata: { uid: string } };

/** The one integration that a delivery is for, or why there is none. */
export type Choice = { integration: StoredIntegration } | { integration?: undefined; reason: string; message: string };

/**
 * Of the integrations that share a hook, the one whose spec covers the repository. Several ring nothing: which profile
 * and whose limits would count is for people to decide.
 */
export function chooseIntegration(
  provider: Provider,
  candidates: readonly StoredIntegration[],
  about: { repository?: EventRepository; installationId?: string },
): Choice {
  const { repository, installationId } = about;
  if (candidates.length === 0) return { reason: "IntegrationUnknown", message: "The hook's integration is gone." };
  if (!repository) return { reason: "NoRepository", message: "The delivery names no repository." };
  const covering = candidates.filter((one) => provider.covers(one, repository, installationId));
  const living = covering.filter((one) => one.metadata.deletionTimestamp === undefined);
  const [first, second] = living.length > 0 ? living : covering;
  if (!first) {
    return { reason: "NotCovered", message: "The repository lies outside what the hook's integrations cover." };
  }
  if (second) {
    return { reason: "AmbiguousIntegration", message: `Several integrations cover the repository: ${list(living)}.` };
  }
  return { integration: first };
}

function list(integrations: readonly StoredIntegration[]): string {
  return integrations.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(", ");
}
