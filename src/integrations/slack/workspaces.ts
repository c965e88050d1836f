import type { TaskSource } from "../../api/agent-task.ts";
import type { SlackApp } from "../../api/slack-app.ts";
import { BellhopError } from "../../shared/errors.ts";
import { ProviderError } from "../errors.ts";
import type { OAuthGrant } from "../sign-in.ts";
import type { ConnectDeps } from "../sign-in.ts";
import type { SignIns } from "../sign-ins.ts";
import { membership, type Membership } from "./authorizer.ts";
import { slackClient, type SlackClient } from "./client.ts";
import { whoAmI, type WhoAmI } from "./identity.ts";
import { host } from "./scope.ts";

/** The sign-in with one bot token. */
export interface SignIn {
  client: SlackClient;
  who: WhoAmI;
  /** The user groups, cached with the sign-in: a connection is made for each reconcile. */
  members: Membership;
  /** The grant of the install flow that has the token; absent if the token is in a Secret of the team. */
  grant?: OAuthGrant;
}

/** The sign-ins of an integration. */
export interface Workspaces {
  all: readonly SignIn[];
  /** The sign-in whose token is for the workspace of a task. Throws `ProviderError` if the app is not installed there. */
  of(source: Pick<TaskSource, "instance">): SignIn;
}

/** Signs in with the bot token of the Secret, or with every token of the install flow. Throws `BellhopError`. */
export async function workspaces(
  integration: SlackApp,
  deps: ConnectDeps,
  cache: { signIns: SignIns<SignIn>; throttle: boolean },
): Promise<Workspaces> {
  const { url, credentials } = integration.spec;
  if (!URL.canParse(url)) throw new BellhopError("URLInvalid", `spec.url ${url} is not a valid URL: fix it`);
  const signIn = (token: string): SignIn => signedIn({ integration, deps, ...cache }, token);
  if (credentials.botTokenSecretRef) {
    const only = signIn(await readToken(integration, deps));
    return { all: [only], of: () => only };
  }
  const all = (await deps.readGrants()).map((grant) => ({ ...signIn(grant.accessToken), grant }));
  return { all, of: ({ instance }) => signInOf(integration, all, instance) };
}

/** The token of the workspace itself, or else of its organisation: the spec names at most one. */
function signInOf(integration: SlackApp, all: readonly SignIn[], instance: string | undefined): SignIn {
  const found = all.find(({ grant }) => grant?.account === instance) ?? all.find(({ grant }) => isOrganisation(grant));
  if (found) return found;
  const { namespace, name } = integration.metadata;
  throw new ProviderError(
    "Suspended",
    `SlackApp ${namespace}/${name} is not installed in the workspace ${instance ?? "of this task"}: open its status.installURL to install it`,
  );
}

function isOrganisation(grant: OAuthGrant | undefined): boolean {
  return grant?.account.startsWith("E") === true;
}

interface Signing {
  integration: SlackApp;
  deps: ConnectDeps;
  signIns: SignIns<SignIn>;
  throttle: boolean;
}

function signedIn({ integration, deps, signIns, throttle }: Signing, token: string): SignIn {
  const { url } = integration.spec;
  return signIns(deps, [url, token], () => {
    const client = slackClient({ ...deps, url, host: host(integration), throttle }, token);
    return { client, who: whoAmI(client), members: membership(client) };
  });
}

async function readToken(integration: SlackApp, deps: ConnectDeps): Promise<string> {
  const ref = integration.spec.credentials.botTokenSecretRef;
  if (!ref) throw new BellhopError("SecretInvalid", "spec.credentials.botTokenSecretRef is not set");
  const bytes = await deps.readSecret(ref, { kind: "SlackApp", host: host(integration) });
  const text = Buffer.from(bytes).toString("utf8").trim();
  const where = `Secret ${ref.name}, key "${ref.key}"`;
  if (text === "") throw new BellhopError("SecretInvalid", `${where} has no value: put the app's bot token there`);
  if (/^xoxb-[A-Za-z0-9-]+$/.test(text)) return text;
  throw new BellhopError(
    "SecretInvalid",
    `${where} is not a bot token: put the Bot User OAuth Token there, xoxb-…, of the app's page OAuth & Permissions`,
  );
}
