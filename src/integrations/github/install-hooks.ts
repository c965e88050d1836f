import type { Endpoints } from "@octokit/types";
import type { GitHubIntegration } from "../../api/kinds.ts";
import type { DesiredHooks, WebhookInstaller } from "../connection.ts";
import { ProviderError, isProviderFailure } from "../errors.ts";
import type { GitHubClient } from "./client.ts";
import { configOf } from "./hook-config.ts";
import { requiredEvents } from "./required.ts";

const maxPages = 10;

type Hook = Pick<
  Endpoints["GET /repos/{owner}/{repo}/hooks"]["response"]["data"][number],
  "id" | "active" | "events" | "config"
>;

/** The hooks of one organisation or repository. */
interface HookStore {
  list(signal: AbortSignal): Promise<Hook[]>;
  create(settings: HookSettings, signal: AbortSignal): Promise<Hook>;
  update(id: number, settings: HookSettings, signal: AbortSignal): Promise<unknown>;
  remove(id: number, signal: AbortSignal): Promise<unknown>;
}

interface HookSettings {
  config: ReturnType<typeof configOf>;
  events: string[];
  active: boolean;
}

/** With a token, hooks are made on the organisation, or on each repository where some are listed. */
export function hookInstaller(integration: GitHubIntegration, client: GitHubClient): WebhookInstaller {
  const events = requiredEvents(integration);
  return {
    ensure: async (desired, signal) => {
      const targets = targetsOf(integration);
      const standing: { target: string; id: string }[] = [];
      for (const target of targets) {
        const id = await ensureOne(storeOf(client, target), { desired, target, events }, signal);
        standing.push({ target, id: String(id) });
      }
      await removeAll(
        client,
        desired.known.filter(({ target }) => !targets.includes(target)),
        desired.url,
        signal,
      );
      return standing;
    },
    remove: (known, url, signal) => removeAll(client, known, url, signal),
  };
}

function targetsOf({ spec }: GitHubIntegration): string[] {
  return spec.repositories ?? (spec.organization ? [spec.organization] : []);
}

/** A hook is ours by its id from status or by our address; one of them stays and is put right, others with our address go. */
async function ensureOne(
  store: HookStore,
  { desired, target, events }: { desired: DesiredHooks; target: string; events: string[] },
  signal: AbortSignal,
): Promise<number> {
  const knownIds = idsOf(desired.known, target);
  const ours = (await store.list(signal)).filter((hook) => knownIds.has(hook.id) || hook.config.url === desired.url);
  const [keep, ...surplus] = ours.toSorted((a, b) => Number(knownIds.has(b.id)) - Number(knownIds.has(a.id)));
  const settings: HookSettings = { config: configOf(desired), events, active: true };
  for (const hook of surplus) await gone(store.remove(hook.id, signal));
  if (!keep) return (await store.create(settings, signal)).id;
  if (desired.rewriteSecret || !isRight(keep, settings)) await store.update(keep.id, settings, signal);
  return keep.id;
}

function isRight({ config, events, active }: Hook, wanted: HookSettings): boolean {
  return (
    active &&
    config.url === wanted.config.url &&
    config.content_type === wanted.config.content_type &&
    String(config.insecure_ssl ?? "0") === "0" &&
    Boolean(config.secret) &&
    events.toSorted().join() === wanted.events.toSorted().join()
  );
}

async function removeAll(
  client: GitHubClient,
  known: DesiredHooks["known"],
  url: string,
  signal: AbortSignal,
): Promise<void> {
  for (const target of new Set(known.map((hook) => hook.target))) {
    const store = storeOf(client, target);
    const ids = idsOf(known, target);
    const hooks = await store.list(signal).catch((error: unknown) => {
      if (isProviderFailure(error, "NotFound")) return [];
      throw error;
    });
    for (const hook of hooks) {
      if (ids.has(hook.id) || hook.config.url === url) await gone(store.remove(hook.id, signal));
    }
  }
}

function idsOf(known: DesiredHooks["known"], target: string): Set<number> {
  return new Set(known.filter((hook) => hook.target === target && hook.id).map(({ id }) => Number(id)));
}

/** Removing what is not there is success. */
async function gone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!isProviderFailure(error, "NotFound")) throw error;
  }
}

function storeOf(client: GitHubClient, target: string): HookStore {
  const [owner = "", repo] = target.split("/");
  return repo === undefined ? organisationHooks(client, owner) : repositoryHooks(client, owner, repo);
}

function repositoryHooks({ self }: GitHubClient, owner: string, repo: string): HookStore {
  const at = { owner, repo };
  const on = `${owner}/${repo}`;
  return {
    list: (signal) =>
      allPages((page) =>
        self.request(`list webhooks of ${on}`, "GET /repos/{owner}/{repo}/hooks", { ...at, ...page }, signal),
      ),
    create: async (settings, signal) =>
      (
        await self.request(
          `create a webhook on ${on}`,
          "POST /repos/{owner}/{repo}/hooks",
          { ...at, name: "web", ...settings },
          signal,
        )
      ).data,
    update: (id, settings, signal) =>
      self.request(
        `set the webhook of ${on}`,
        "PATCH /repos/{owner}/{repo}/hooks/{hook_id}",
        { ...at, hook_id: id, ...settings },
        signal,
      ),
    remove: (id, signal) =>
      self.request(
        `remove a webhook of ${on}`,
        "DELETE /repos/{owner}/{repo}/hooks/{hook_id}",
        { ...at, hook_id: id },
        signal,
      ),
  };
}

function organisationHooks({ self }: GitHubClient, org: string): HookStore {
  return {
    list: (signal) =>
      allPages((page) =>
        self.request(`list webhooks of ${org}`, "GET /orgs/{org}/hooks", { org, ...page }, signal),
      ).catch((error: unknown) => {
        throw isProviderFailure(error, "NotFound") ? noOrganisation(org, error) : error;
      }) as Promise<Hook[]>,
    create: async (settings, signal) =>
      (
        await self.request(
          `create a webhook on ${org}`,
          "POST /orgs/{org}/hooks",
          { org, name: "web", ...settings },
          signal,
        )
      ).data,
    update: (id, settings, signal) =>
      self.request(
        `set the webhook of ${org}`,
        "PATCH /orgs/{org}/hooks/{hook_id}",
        { org, hook_id: id, ...settings },
        signal,
      ),
    remove: (id, signal) =>
      self.request(`remove a webhook of ${org}`, "DELETE /orgs/{org}/hooks/{hook_id}", { org, hook_id: id }, signal),
  };
}

function noOrganisation(org: string, error: ProviderError): ProviderError {
  return new ProviderError(
    "NotFound",
    `${error.message} If ${org} is a user account it has no webhook of its own: list its repositories in spec.repositories`,
    error.status === undefined ? {} : { status: error.status },
  );
}

async function allPages<T>(get: (page: { per_page: number; page: number }) => Promise<{ data: T[] }>): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1; page <= maxPages; page++) {
    const { data } = await get({ per_page: 100, page });
    all.push(...data);
    if (data.length < 100) break;
  }
  return all;
}
