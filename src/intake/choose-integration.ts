import { whyInactive } from "./decide.ts";
import type { Origin } from "../integrations/event.ts";
import type { Integration } from "../integrations/integration.ts";
import type { Provider } from "../integrations/provider.ts";
import { defined } from "../shared/defined.ts";

/** An integration as the API server stored it. */
export type StoredIntegration = Integration & { metadata: { uid: string } };

/** The integration that a delivery belongs to, or the reason why there is none. */
export type Choice =
  | { integration: StoredIntegration }
  | {
      integration?: undefined;
      reason: string;
      message: string;
      /** Whether a retry may find one: the local copy lacks a member of the hook, or the operator has not yet found an installation of the App. */
      again?: true;
      /** For our log only: names of integrations, perhaps of other namespaces than that of the reader. */
      detail?: string;
    };

/** The integrations of a hook that are in the local copy, and whether they are complete. */
export interface Candidates {
  candidates: readonly StoredIntegration[];
  complete: boolean;
}

/**
 * Finds the one integration of a hook whose spec covers the repository. If several cover it, none is chosen: a person must
 * decide which profile and limits apply.
 */
export function chooseIntegration(provider: Provider, { candidates, complete }: Candidates, origin: Origin): Choice {
  const covering = candidates.filter((one) => provider.covers(one, origin));
  const active = covering.filter((one) => one.metadata.deletionTimestamp === undefined);
  const [first, second] = active.length > 0 ? active : covering;
  if (!first && !complete) {
    const message = "The gateway does not know an integration of the hook: it was deleted, or created recently.";
    return { reason: "IntegrationUnknown", message, again: true };
  }
  const withoutInstallation = first
    ? undefined
    : candidates.find((one) => !whyInactive(one) && provider.covers(one, withoutInstallationOf(origin)));
  if (withoutInstallation) {
    const message = "The operator has not found this installation of the App yet; it searches again regularly.";
    return { reason: "InstallationUnknown", message, again: true };
  }
  if (!first) {
    return {
      reason: "NotCovered",
      message: `No integration of the hook covers ${placeOf(origin)}. To cover it, change the spec of an integration.`,
    };
  }
  if (second) {
    return {
      reason: "AmbiguousIntegration",
      message: `Several integrations cover ${placeOf(origin)}. An administrator has to change their specs so that only one covers it; the gateway's log names them.`,
      detail: list(active),
    };
  }
  return { integration: first };
}

function withoutInstallationOf({ repository, channel }: Origin): Origin {
  return defined({ repository, channel });
}

function placeOf({ repository, channel }: Origin): string {
  if (repository) return "the repository";
  return channel ? "the channel" : "the place that the delivery comes from";
}

function list(integrations: readonly StoredIntegration[]): string {
  return integrations.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(", ");
}
