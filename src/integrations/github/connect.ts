import { createPrivateKey } from "node:crypto";
import type { GitHubIntegration } from "../../api/github-integration.ts";
import type { SecretKeyRef } from "../../api/common.ts";
import { BellhopError } from "../../shared/errors.ts";
import type { Connection } from "../connection.ts";
import type { Provider } from "../provider.ts";
import type { ConnectDeps } from "../sign-in.ts";
import { createSignIns, type SignIns } from "../sign-ins.ts";
import { authorizer } from "./authorizer.ts";
import type { ApiSettings } from "./api.ts";
import { appClient } from "./app-client.ts";
import { tokenClient, whoAmI, type GitHubClient, type WhoAmI } from "./client.ts";
import { codeHost } from "./code-host.ts";
import { source } from "./source.ts";
import { identity } from "./identity.ts";
import { missed } from "./missed.ts";
import { hooks } from "./hooks.ts";
import { writes } from "./limits.ts";
import { createPace, createPauses, unpaced } from "../pace.ts";
import { thread } from "./thread.ts";
import { host } from "./scope.ts";

interface SignIn {
  client: GitHubClient;
  who: WhoAmI;
}

/** Signs in to GitHub with the integration's credentials. Integrations with the same credentials share one client and its tokens. */
export const connect: Provider<GitHubIntegration>["connect"] = connector();

/** Creates a `connect` with its own cache. `throttle: false` sends writes without pauses, for tests against a stand-in. */
export function connector(options: { throttle?: boolean } = {}): Provider<GitHubIntegration>["connect"] {
  const signIns = createSignIns<SignIn>();
  const throttle = options.throttle ?? true;
  return async (integration, deps) => connection(integration, await signedIn(integration, deps, { signIns, throttle }));
}

function connection(integration: GitHubIntegration, { client, who }: SignIn): Connection {
  return {
    identity: identity(integration, client, who),
    authorizer: authorizer(integration, client),
    source: source(client, who),
    thread: thread(client, who),
    codeHost: codeHost(integration, client),
    hooks: hooks(integration, client),
    missed: missed(integration, client),
  };
}

async function signedIn(
  integration: GitHubIntegration,
  deps: ConnectDeps,
  cache: { signIns: SignIns<SignIn>; throttle: boolean },
): Promise<SignIn> {
  const { url, credentials } = integration.spec;
  if (!URL.canParse(url)) throw new BellhopError("URLInvalid", `spec.url ${url} is not a valid URL: fix it`);
  const secret = await readSecret(integration, deps);
  const account = String(credentials.app?.appId ?? "token");
  return cache.signIns(deps, [url, account, secret], () => {
    const client = createClient(integration, secret, { ...deps, throttle: cache.throttle });
    return { client, who: whoAmI(client) };
  });
}

function createClient(
  integration: GitHubIntegration,
  secret: string,
  { fetch, clock, log, throttle }: ConnectDeps & { throttle: boolean },
): GitHubClient {
  const { url, credentials } = integration.spec;
  const settings: ApiSettings = {
    url,
    host: host(integration),
    signIn: credentials.app ? "app" : "token",
    fetch,
    clock,
    log,
    pace: throttle ? createPace(clock, writes) : unpaced,
    pauses: createPauses(clock),
  };
  return credentials.app
    ? appClient(settings, credentials.app.appId, privateKey(secret))
    : tokenClient(settings, secret);
}

async function readSecret(integration: GitHubIntegration, deps: ConnectDeps): Promise<string> {
  const ref = secretRef(integration);
  const bytes = await deps.readSecret(ref, { kind: "GitHubIntegration", host: host(integration) });
  const text = Buffer.from(bytes).toString("utf8").trim();
  if (text) return text;
  throw new BellhopError(
    "SecretInvalid",
    `Secret ${ref.name} has no value for key "${ref.key}": put the credential there`,
  );
}

function secretRef({ spec: { credentials } }: GitHubIntegration): SecretKeyRef {
  const ref = credentials.app?.privateKeySecretRef ?? credentials.token?.secretRef;
  if (ref) return ref;
  throw new BellhopError("SecretInvalid", "spec.credentials names neither an app nor a token: set exactly one");
}

/** Also accepts a key on one line with `\n` for line ends, as environment files have it. */
function privateKey(text: string): string {
  const pem = text.replaceAll(String.raw`\n`, "\n");
  if (!/^-----BEGIN (RSA )?PRIVATE KEY-----/.test(pem)) {
    throw invalidKey(
      "is not a PEM private key (-----BEGIN RSA PRIVATE KEY----- or -----BEGIN PRIVATE KEY-----): download it again",
    );
  }
  const type = keyType(pem);
  if (type === undefined) throw invalidKey("cannot be parsed because it is truncated or damaged: download a new one");
  if (type !== "rsa") throw invalidKey(`is of type ${type}, but GitHub's keys are RSA: download the App's own key`);
  return pem;
}

/** Drops the error of the library, because it may quote the key. */
function keyType(pem: string): string | undefined {
  try {
    return createPrivateKey(pem).asymmetricKeyType;
  } catch {
    return undefined;
  }
}

function invalidKey(what: string): BellhopError {
  return new BellhopError("SecretInvalid", `the App's private key ${what} from the App's settings page`);
}
