import type { GitHubIntegration } from "../../api/github-integration.ts";
import type { Identity } from "../connection.ts";
import { ProviderError, isProviderFailure } from "../errors.ts";
import type { GitHubClient, Installation, WhoAmI } from "./client.ts";
import { listedRepositories } from "./listed-repositories.ts";
import { isGranted, required } from "./required.ts";
import { coveredOwners } from "./scope.ts";

type Checked = Awaited<ReturnType<Identity["check"]>>;

/** Checks the account, the installations, and the events and permissions that are missing (no API can set those of an App). */
export function identity(integration: GitHubIntegration, client: GitHubClient, who: WhoAmI): Identity {
  return {
    check: async (signal) => {
      const check = client.app ? checkApp : checkToken;
      const checked = await check(integration, client, who, signal);
      return { ...checked, ...(await listedRepositories(integration, client, signal)) };
    },
  };
}

async function checkApp(
  integration: GitHubIntegration,
  client: GitHubClient,
  who: WhoAmI,
  signal: AbortSignal,
): Promise<Checked> {
  const { data: app } = await client.self.request("read the App", "GET /app", {}, signal).catch((error: unknown) => {
    throw isProviderFailure(error, "NotFound") ? noSuchApp(client.settings.host) : error;
  });
  const owners = coveredOwners(integration);
  const everywhere = (await client.app?.installations(signal)) ?? [];
  const covered = everywhere.filter(({ account }) => owners.includes(account.toLowerCase()));
  const granted = { events: app?.events ?? [], permissions: (app?.permissions ?? {}) as Record<string, string> };
  return {
    bot: await who(signal),
    installations: covered.map(({ id, account, suspended }) => ({
      id: String(id),
      account,
      ...(suspended ? { suspended } : {}),
    })),
    tokenScope: "PerTask",
    missing: [
      ...lacking(integration, granted, "of the App"),
      ...owners
        .filter((owner) => !covered.some(({ account }) => account.toLowerCase() === owner))
        .map((owner) => `installation on ${owner}`),
      ...covered.flatMap((installation) => notAccepted(integration, granted, installation)),
    ],
  };
}

/** `GET /app` always exists, so a 404 means that GitHub does not know the App. */
function noSuchApp(host: string): ProviderError {
  return new ProviderError(
    "NotFound",
    `there is no App with this id and key at ${host}: check spec.credentials.app.appId, the number on the App's settings page`,
    { status: 404 },
  );
}

interface Granted {
  events: readonly string[];
  permissions: Record<string, string>;
}

function lacking(integration: GitHubIntegration, granted: Granted, where: string): string[] {
  const needed = required(integration);
  const events = needed.events.filter((event) => !granted.events.includes(event));
  const permissions = Object.entries(needed.permissions).filter(
    ([name, level]) => !isGranted(granted.permissions[name], level),
  );
  return [
    ...events.map((event) => `event ${event} ${where}`),
    ...permissions.map(([name, level]) => `permission ${name}: ${level} ${where}`),
  ];
}

/** Events and permissions that the App requests but the owner of an installation has not accepted yet. */
function notAccepted(integration: GitHubIntegration, app: Granted, installation: Installation): string[] {
  const where = `not yet accepted by ${installation.account}`;
  const known = new Set(lacking(integration, app, where));
  return lacking(integration, installation, where).filter((item) => !known.has(item));
}

async function checkToken(
  integration: GitHubIntegration,
  client: GitHubClient,
  who: WhoAmI,
  signal: AbortSignal,
): Promise<Checked> {
  const answer = await client.self.request("read the token's user", "GET /user", {}, signal);
  const scopes = (answer.headers as Record<string, string | undefined>)["x-oauth-scopes"];
  return {
    bot: await who(signal),
    installations: [],
    tokenScope: "Broad",
    missing: scopes === undefined ? [] : missingScopes(integration, scopes),
  };
}

/** GitHub names the scopes of a classic token in a header. Missing permissions of a fine-grained token only show when it is used. */
function missingScopes({ spec }: GitHubIntegration, header: string): string[] {
  const has = new Set(header.split(",").map((scope) => scope.trim()));
  const wanted: string[][] = [["repo", "public_repo"]];
  if (spec.webhook.install === "Auto") {
    wanted.push(spec.repositories ? ["repo", "admin:repo_hook", "write:repo_hook"] : ["admin:org_hook"]);
  }
  return wanted.filter((any) => !any.some((scope) => has.has(scope))).map((any) => `token scope ${any[0] ?? ""}`);
}
