import { randomBytes } from "node:crypto";
import type { GitHubIntegration } from "../../api/kinds.ts";
import type { WebhookInstaller } from "../connection.ts";
import { ProviderError } from "../errors.ts";
import type { GitHubClient } from "./client.ts";
import { configOf } from "./install/hook-config.ts";
import { hookInstaller } from "./install/hooks.ts";

/** The target name of an App's one hook. */
const appTarget = "app";

/** Keeps the App's one webhook, or the hooks of the organisation or of each repository, as they should be. */
export function installer(integration: GitHubIntegration, client: GitHubClient): WebhookInstaller {
  return client.app ? appInstaller(client, client.app.id) : hookInstaller(integration, client);
}

/**
 * An App has one hook, which cannot be removed and whose secret cannot be read back. Where it points anywhere but to this Bellhop it belongs
 * to somebody else and is left alone, unless `takeOver` says otherwise.
 */
function appInstaller(client: GitHubClient, appId: number): WebhookInstaller {
  const read = async (signal: AbortSignal): Promise<{ url: string; right: boolean }> => {
    const { data } = await client.self.request("read the App's webhook", "GET /app/hook/config", {}, signal);
    const right = data.content_type === "json" && String(data.insecure_ssl) === "0" && Boolean(data.secret);
    return { url: data.url ?? "", right };
  };
  const write = (config: Record<string, string>, signal: AbortSignal): Promise<unknown> =>
    // As `data`: a parameter named `url` would be taken for the address to call.
    client.self.request("set the App's webhook", "PATCH /app/hook/config", { data: config } as object, signal);

  return {
    ensure: async (desired, signal) => {
      const { url, right } = await read(signal);
      const ours = [desired.url, desired.formerURL ?? desired.url].some((one) => isOurs(url, one));
      if (url && !ours && !desired.takeOver) throw foreign(client.settings.host, url);
      if (url !== desired.url || !right || desired.rewriteSecret) await write(configOf(desired), signal);
      return { hooks: [{ target: appTarget }], failures: [] };
    },
    remove: async (known, urls, signal) => {
      const { url } = await read(signal);
      if (!urls.includes(url)) return { left: known.map(({ target }) => target) };
      // GitHub has no call that empties the address: a secret nobody knows makes what still comes worthless.
      await write({ secret: randomBytes(32).toString("base64url") }, signal);
      client.settings.log.info(
        { appId, url },
        "the App's webhook still names this address; switch it off on the App's settings page",
      );
      return { left: [appTarget] };
    },
  };
}

/** Whether an address is this Bellhop's, whichever integration's: all but the last part of the path is the same. */
export function isOurs(url: string, ours: string): boolean {
  return url === ours || withoutRoute(url) === withoutRoute(ours);
}

function withoutRoute(url: string): string {
  return url.slice(0, url.lastIndexOf("/") + 1);
}

function foreign(host: string, url: string): ProviderError {
  const where = URL.canParse(url) ? new URL(url).host : "another address";
  return new ProviderError(
    "ForeignHook",
    `the App's webhook at ${host} points at ${where}, which is not this Bellhop. An App has one webhook only: set spec.webhook.takeOver to overwrite it, or use another App`,
  );
}
