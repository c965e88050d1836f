import type { Connection } from "../../integrations/connection.ts";
import type { Integration } from "../../integrations/integration.ts";
import { defined } from "../../shared/defined.ts";
import { describeError } from "../../shared/errors.ts";
import { missingInstallations } from "../install/missing-installations.ts";
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

type Found = Pick<Awaited<ReturnType<Connection["identity"]["check"]>>, "bot" | "installations">;

/** Signs in and checks the credentials. Throws if the provider is down but was up before: a temporary outage does not change the condition. */
export async function signIn(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<SignedIn> {
  try {
    const connection = await integrationHandle(deps, deps.source.provider, integration).connect();
    const { missing, bot, ...found } = await connection.identity.check(signal);
    const waiting = missingInstallations(deps, integration, found.installations);
    if (!bot) {
      const message = waiting ?? "no installation of the app works";
      return { verdicts: [invalid("NotInstalled", message)], status: found };
    }
    const stuck =
      missingEvents(missing) ?? (waiting === undefined ? undefined : stalled("InstallationsMissing", waiting));
    const verdicts = [credentialsVerdict({ ...found, bot })];
    return { connection, verdicts, status: { ...found, bot }, ...defined({ stuck }) };
  } catch (error) {
    return afterFailure(integration, error);
  }
}

function missingEvents(missing: readonly string[]): Verdict | undefined {
  if (missing.length === 0) return undefined;
  return stalled("EventsMissing", `set these at the provider, they cannot be set by API: ${missing.join(", ")}`);
}

/** A suspended installation gets no tokens, even if the credentials are right. */
function credentialsVerdict({ bot, installations }: Found & { bot: object }): Verdict {
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
