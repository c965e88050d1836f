import { createHash } from "node:crypto";
import type { SlackApp } from "../../api/slack-app.ts";
import { BellhopError } from "../../shared/errors.ts";
import type { Connection } from "../connection.ts";
import type { ConnectDeps, Provider } from "../types.ts";
import { authorizer, membership } from "./authorizer.ts";
import { slackClient, type SlackClient } from "./client.ts";
import { identity, whoAmI, type WhoAmI } from "./identity.ts";
import { host } from "./scope.ts";
import { source } from "./source.ts";
import { thread } from "./thread.ts";

const maxClients = 256;

interface SignIn {
  client: SlackClient;
  who: WhoAmI;
}

/** Signs in to Slack with the app's bot token. Integrations with the same token share one client and its pauses. */
export const connect: Provider<SlackApp>["connect"] = connector();

/** Creates a `connect` with its own cache. `throttle: false` sends calls without pauses, for tests against a stand-in. */
export function connector(options: { throttle?: boolean } = {}): Provider<SlackApp>["connect"] {
  const caches = new WeakMap<typeof fetch, Map<string, SignIn>>();
  return async (integration, deps) => {
    const cache = caches.get(deps.fetch) ?? new Map<string, SignIn>();
    caches.set(deps.fetch, cache);
    return connection(integration, await signedIn(integration, deps, cache, options.throttle ?? true));
  };
}

function connection(integration: SlackApp, { client, who }: SignIn): Connection {
  const members = membership(client);
  const authorizes = authorizer(integration, { client, who, members });
  return {
    identity: identity(integration, who),
    authorizer: authorizes,
    source: source({ client, who, authorizer: authorizes }),
    thread: thread(client, who, integration.status?.bot?.id),
  };
}

async function signedIn(
  integration: SlackApp,
  deps: ConnectDeps,
  cache: Map<string, SignIn>,
  throttle: boolean,
): Promise<SignIn> {
  const { url } = integration.spec;
  if (!URL.canParse(url)) throw new BellhopError("URLInvalid", `spec.url ${url} is not a valid URL: fix it`);
  const token = await readToken(integration, deps);
  const id = createHash("sha256")
    .update(JSON.stringify([url, token]))
    .digest("hex");
  const known = cache.get(id);
  if (known) return known;
  const client = slackClient({ ...deps, url, host: host(integration), throttle }, token);
  const fresh: SignIn = { client, who: whoAmI(client) };
  cache.set(id, fresh);
  const [oldest] = cache.keys();
  if (cache.size > maxClients && oldest !== undefined) cache.delete(oldest);
  return fresh;
}

async function readToken(integration: SlackApp, deps: ConnectDeps): Promise<string> {
  const ref = integration.spec.credentials.botTokenSecretRef;
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
