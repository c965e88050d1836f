import { atRest } from "./decide.ts";
import type { EventRepository, Integration, Provider } from "../integrations/types.ts";

/** An integration as the API server stored it. */
export type StoredIntegration = Integration & { metadata: { uid: string } };

/** The one integration that a delivery is for, or why there is none. */
export type Choice =
  | { integration: StoredIntegration }
  | {
      integration?: undefined;
      reason: string;
      message: string;
      /** Whether there may be one once the local copy has every member of the hook, and of each what the operator finds out. */
      again?: true;
    };

/** The integrations of a hook that the local copy has, and whether these are all. */
export interface Candidates {
  candidates: readonly StoredIntegration[];
  complete: boolean;
}

/**
 * Of the integrations that share a hook, the one whose spec covers the repository. Several ring nothing: which profile
 * and whose limits would count is for people to decide.
 */
export function chooseIntegration(
  provider: Provider,
  { candidates, complete }: Candidates,
  about: { repository?: EventRepository; installationId?: string },
): Choice {
  const { repository, installationId } = about;
  if (!repository) return { reason: "NoRepository", message: "The delivery names no repository." };
  const covering = candidates.filter((one) => provider.covers(one, repository, installationId));
  const living = covering.filter((one) => one.metadata.deletionTimestamp === undefined);
  const [first, second] = living.length > 0 ? living : covering;
  if (!first && !complete) {
    const message = "An integration of the hook is not known here: it is gone, or too new.";
    return { reason: "IntegrationUnknown", message, again: true };
  }
  const later = first ? undefined : candidates.find((one) => !atRest(one) && provider.covers(one, repository));
  if (later) {
    const message = "The App's installation is not known yet; the operator finds it at its next look.";
    return { reason: "InstallationUnknown", message, again: true };
  }
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
