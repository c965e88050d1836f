import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";
import type { InstallContext, InstallFlow } from "../../integrations/sign-in.ts";
import type { EventRecorder } from "../../kube/events.ts";
import type { KubeClient } from "../../kube/types.ts";
import { BellhopError } from "../../shared/errors.ts";
import type { IntegrationSource, SignInDeps } from "../integration-handle.ts";
import { secretReader } from "../secrets.ts";
import { readGrantSecret, type GrantSecret } from "./grant-secret.ts";
import { installURLs } from "./install-urls.ts";

/** Dependencies of the two steps of the install flow. Every replica of the operator may run them. */
export interface InstallDeps extends SignInDeps {
  client: KubeClient;
  sources: readonly IntegrationSource[];
  events: EventRecorder;
  /** Public URL of the pages, without a trailing slash. */
  baseURL: string;
  /** Whether one more exchange may begin now: it calls the provider and writes a Secret, and strangers can cause it. */
  mayExchange(): boolean;
}

/** Which integration a page is about, as its path names it, and the value of the browser's cookie. */
export interface InstallRequest {
  kind: string;
  namespace: string;
  name: string;
  browser: string | undefined;
}

/** An integration that uses the install flow. */
export interface Target {
  provider: Provider;
  flow: InstallFlow;
  integration: Integration;
  accounts: readonly string[];
  uid: string;
  /** The redirect URL of the provider's app. */
  redirectURL: string;
}

/** Finds the integration of a page. Throws `NotFound`, whatever the reason: strangers can ask. */
export function targetOf({ sources, baseURL }: InstallDeps, { kind, namespace, name }: InstallRequest): Target {
  const source = sources.find(({ provider }) => provider.kind.toLowerCase() === kind);
  const integration = source?.get({ namespace, name });
  const found = source && integration && installable(source.provider, integration);
  if (!found)
    throw new BellhopError(
      "NotFound",
      "There is no such install page. Copy its address from the integration's status.installURL.",
    );
  return { ...found, redirectURL: installURLs(baseURL, source.provider, integration).callback };
}

function installable(provider: Provider, integration: Integration): Omit<Target, "redirectURL"> | undefined {
  const { uid, deletionTimestamp } = integration.metadata;
  const { install: flow } = provider;
  const accounts = flow?.accounts(integration);
  if (!flow || !accounts || uid === undefined || deletionTimestamp !== undefined) return undefined;
  return { provider, flow, integration, accounts, uid };
}

/** Reads the Secret of the integration. Throws `NotPrepared` if the leading operator has not created it yet. */
export async function contentOf(deps: InstallDeps, { uid }: Target, signal: AbortSignal): Promise<GrantSecret> {
  const content = await readGrantSecret(deps, uid, signal);
  if (content) return content;
  throw new BellhopError("NotPrepared", "Bellhop has not prepared this page yet. Try again in a few seconds.", {
    retryable: true,
  });
}

/** The dependencies of the provider's functions. */
export function contextOf(deps: InstallDeps, integration: Integration): InstallContext {
  const readSecret = secretReader(deps.client, integration.metadata.namespace);
  return { integration, deps: { clock: deps.clock, log: deps.log, fetch: deps.fetch, readSecret } };
}
