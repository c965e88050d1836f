import type { Connection } from "../../integrations/connection.ts";
import type { Integration } from "../../integrations/types.ts";
import { describeError } from "../../shared/errors.ts";
import { integrationHandle } from "../integration-handle.ts";
import { isForCondition, isTemporary, retryWaitMs } from "../provider-failure.ts";
import type { IntegrationDeps } from "./deps.ts";
import { invalid, stalled, unknown, valid, type Verdict } from "./status.ts";

/** Results of a sign-in. */
export interface SignedIn {
  /** Absent if the sign-in failed. */
  connection?: Connection;
  verdicts: Verdict[];
  /** Fields of the status: bot, installations, token scope. */
  status: Record<string, unknown>;
  /** A fault that only an administrator can fix at the provider. */
  stuck?: Verdict;
  /** Retry after this time. */
  retryMs?: number;
}

type Found = Awaited<ReturnType<Connection["identity"]["check"]>>;

/** Signs in and checks the credentials. Throws if the provider is down but was up before: a temporary outage does not change the condition. */
export async function signIn(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<SignedIn> {
  try {
    const connection = await integrationHandle(deps, deps.source.provider, integration).connect();
    const { missing, ...found } = await connection.identity.check(signal);
    const stuck =
      missing.length === 0
        ? {}
        : {
            stuck: stalled(
              "EventsMissing",
              `set these at the provider, they cannot be set by API: ${missing.join(", ")}`,
            ),
          };
    return { connection, verdicts: [credentialsVerdict(found)], status: found, ...stuck };
  } catch (error) {
    return afterFailure(integration, error);
  }
}

/** A suspended installation gets no tokens, even if the credentials are right. */
function credentialsVerdict({ bot, installations }: Omit<Found, "missing">): Verdict {
  const suspended = installations.filter((each) => each.suspended).map(({ account }) => account);
  if (suspended.length === 0) return valid(`Signed in as ${bot.login}.`);
  return invalid(
    "Suspended",
    `the App is suspended on ${suspended.join(", ")}: an owner must un-suspend it in the App's settings at the provider`,
  );
}

function afterFailure(integration: Integration, error: unknown): SignedIn {
  if (!isForCondition(error)) throw error;
  if (!isTemporary(error)) return { verdicts: [invalid(error.code, describeError(error))], status: {} };
  const before = integration.status?.conditions?.find(({ type }) => type === "CredentialsValid");
  if (before?.status === "True") throw error;
  const message = `${describeError(error)}; Bellhop retries`;
  return { verdicts: [unknown(error.code, message)], status: {}, retryMs: retryWaitMs(error) };
}
