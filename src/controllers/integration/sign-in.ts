import type { Connection } from "../../integrations/connection.ts";
import { askedWaitMs, isProviderFailure, ProviderError } from "../../integrations/errors.ts";
import type { Integration } from "../../integrations/types.ts";
import { ApiError } from "../../kube/errors.ts";
import { BellhopError, describeError } from "../../shared/errors.ts";
import { integrationHandle } from "../integration-handle.ts";
import { invalid, stalled, unknown, valid, type Verdict } from "./conditions.ts";
import type { IntegrationDeps } from "./deps.ts";

/** What signing in found out. */
export interface SignedIn {
  /** Absent where the provider would not have us. */
  connection?: Connection;
  verdicts: Verdict[];
  /** Fields of the status: bot, installations, token scope. */
  status: Record<string, unknown>;
  /** What only a person can mend at the provider. */
  stuck?: Verdict;
  /** Look again this soon. */
  again?: number;
}

type Found = Awaited<ReturnType<Connection["credentials"]["check"]>>;

const tryAgainMs = 15_000;

/** Signs in and checks the credentials. Throws where the provider does not answer but did before: nothing is unsaid for a pause. */
export async function signIn(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<SignedIn> {
  try {
    const connection = await integrationHandle(deps, deps.source.provider, integration).connect();
    const { missing, ...found } = await connection.credentials.check(signal);
    const stuck =
      missing.length === 0
        ? {}
        : { stuck: stalled("EventsMissing", `cannot be set by API; set at the provider: ${missing.join(", ")}`) };
    return { connection, verdicts: [judge(found)], status: found, ...stuck };
  } catch (error) {
    return afterFailure(integration, error);
  }
}

/** Tokens cannot be had for an installation that is suspended, whatever else is right. */
function judge({ bot, installations }: Omit<Found, "missing">): Verdict {
  const suspended = installations.filter((each) => each.suspended).map(({ account }) => account);
  if (suspended.length === 0) return valid(`Signed in as ${bot.login}.`);
  return invalid(
    "Suspended",
    `the App is suspended on ${suspended.join(", ")}: an owner un-suspends it in the App's settings at the provider`,
  );
}

function afterFailure(integration: Integration, error: unknown): SignedIn {
  if (!(error instanceof BellhopError) || error instanceof ApiError) throw error;
  const reason = error instanceof ProviderError ? error.failure : error.code;
  if (!isProviderFailure(error, "RateLimited", "Unavailable")) {
    return { verdicts: [invalid(reason, describeError(error))], status: {} };
  }
  const before = integration.status?.conditions?.find(({ type }) => type === "CredentialsValid");
  if (before?.status === "True") throw error;
  const message = `${describeError(error)}; trying again`;
  return { verdicts: [unknown(reason, message)], status: {}, again: askedWaitMs(error) ?? tryAgainMs };
}
