import { randomBytes } from "node:crypto";
import type { GitHubIntegration } from "../../api/github-integration.ts";
import type { WebhookInstaller } from "../connection.ts";
import { ProviderError } from "../errors.ts";
import type { GitHubClient } from "./client.ts";
import { configOf } from "./hooks/hook-store.ts";
import { hookInstaller } from "./hooks/ensure.ts";

/** The target name of the App's only hook. */
const appTarget = "app";

/** Installs webhooks: the one of the App, or with a token those of the organisation or of each repository. */
export function hooks(integration: GitHubIntegration, client: GitHubClient): WebhookInstaller {
  return client.app ? appInstaller(client, client.app.id) : hookInstaller(integration, client);
}

/**
 * An App has one hook. It cannot be removed, and its secret cannot be read back. If the hook does not point at this Bellhop, it belongs
 * to another system and stays unchanged, unless `takeOver` is set.
 */
function appInstaller(client: GitHubClient, appId: number): WebhookInstaller {
  const read = async (signal: AbortSignal): Promise<{ url: string; right: boolean }> => {
    const { data } = await client.self.request("read the App's webhook", "GET /app/hook/config", {}, signal);
    const right = data.content_type === "json" && String(data.insecure_ssl) === "0" && Boolean(data.secret);
    return { url: data.url ?? "", right };
  };
  const write = (config: Record<string, string>, signal: AbortSignal): Promise<unknown> =>
    // Sent as `data`, because Octokit would take a parameter named `url` for the address to call.
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
      // GitHub has no call that clears the URL. With a random secret, later deliveries fail verification.
      await write({ secret: randomBytes(32).toString("base64url") }, signal);
      client.settings.log.info(
        { appId, url },
        "the App's webhook still points at this address; deactivate it on the App's settings page",
      );
      return { left: [appTarget] };
    },
  };
}

/** Whether an address belongs to this Bellhop, for any of its integrations: only the last part of the path may differ. */
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
