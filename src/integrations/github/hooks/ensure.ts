import type { GitHubIntegration } from "../../../api/github-integration.ts";
import { BellhopError } from "../../../shared/errors.ts";
import type { DesiredHooks, TargetFailure, WebhookInstaller } from "../../connection.ts";
import { combined, isProviderFailure } from "../../errors.ts";
import type { GitHubClient } from "../client.ts";
import { configOf, storeOf, type Hook, type HookSettings, type HookStore } from "./hook-store.ts";
import { required } from "../required.ts";

/** Installs hooks with a token: on each listed repository, or else on the organisation. */
export function hookInstaller(integration: GitHubIntegration, client: GitHubClient): WebhookInstaller {
  const { events } = required(integration);
  const targets = targetsOf(integration);
  return {
    ensure: async (desired, signal) => {
      const hooks: { target: string; id: string }[] = [];
      const failures = await atEach(targets, async (target) => {
        const id = await ensureOne(storeOf(client, target), { desired, target, events }, signal);
        hooks.push({ target, id: String(id) });
      });
      const former = desired.known.filter(({ target }) => !targets.includes(target));
      const left = await atEach(
        former.map(({ target }) => target),
        (target) =>
          removeFrom(storeOf(client, target), { ids: idsOf(former, target), urls: addresses(desired) }, signal),
      );
      return { hooks, failures: [...failures, ...left] };
    },
    remove: async (known, urls, signal) => {
      const left = await atEach([...known.map(({ target }) => target), ...(urls.length > 0 ? targets : [])], (target) =>
        removeFrom(storeOf(client, target), { ids: idsOf(known, target), urls }, signal),
      );
      if (left.length > 0)
        throw combined(
          left.map(({ error }) => error),
          left.map(({ target }) => target).join(", "),
        );
      return { left: [] };
    },
  };
}

function addresses({ url, formerURL }: DesiredHooks): string[] {
  return formerURL === undefined ? [url] : [url, formerURL];
}

function targetsOf({ spec }: GitHubIntegration): string[] {
  return spec.repositories ?? (spec.organization ? [spec.organization] : []);
}

/** Runs `work` for each target in turn. A failure at one target does not stop the others, but a rate limit of GitHub does. */
async function atEach(targets: readonly string[], work: (target: string) => Promise<void>): Promise<TargetFailure[]> {
  const failures: TargetFailure[] = [];
  let pause: BellhopError | undefined;
  for (const target of new Set(targets)) {
    const error = pause ?? (await failureOf(work(target)));
    if (error) failures.push({ target, error });
    if (isProviderFailure(error, "RateLimited")) pause = error;
  }
  return failures;
}

async function failureOf(work: Promise<void>): Promise<BellhopError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof BellhopError) return error;
    throw error;
  }
}

/** Hooks are ours by their id in status or by our address. Keeps and repairs one of them and removes the others. */
async function ensureOne(
  store: HookStore,
  { desired, target, events }: { desired: DesiredHooks; target: string; events: string[] },
  signal: AbortSignal,
): Promise<number> {
  const knownIds = idsOf(desired.known, target);
  const urls = addresses(desired);
  const ours = (await store.list(signal)).filter(
    (hook) => knownIds.has(hook.id) || urls.includes(hook.config.url ?? ""),
  );
  const [keep, ...surplus] = ours.toSorted((a, b) => Number(knownIds.has(b.id)) - Number(knownIds.has(a.id)));
  const settings: HookSettings = { config: configOf(desired), events, active: true };
  for (const hook of surplus) await ignoreMissing(store.remove(hook.id, signal));
  if (!keep) return (await store.create(settings, signal)).id;
  if (secretMissing(desired, target, keep) || !isRight(keep, settings)) await store.update(keep.id, settings, signal);
  return keep.id;
}

/** We cannot know the secret of a hook that was only found by its address, so such a hook gets our secret too. */
function secretMissing({ known, rewriteSecret }: DesiredHooks, target: string, { id }: Hook): boolean {
  return !idsOf(rewriteSecret ? known.filter(({ hasSecret }) => hasSecret) : known, target).has(id);
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

async function removeFrom(
  store: HookStore,
  { ids, urls }: { ids: ReadonlySet<number>; urls: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const hooks = await store.list(signal).catch((error: unknown) => {
    if (isProviderFailure(error, "NotFound")) return [];
    throw error;
  });
  for (const hook of hooks) {
    if (ids.has(hook.id) || urls.includes(hook.config.url ?? "")) await ignoreMissing(store.remove(hook.id, signal));
  }
}

function idsOf(known: DesiredHooks["known"], target: string): Set<number> {
  return new Set(known.filter((hook) => hook.target === target && hook.id).map(({ id }) => Number(id)));
}

/** Waits for a removal; a missing hook counts as removed. */
async function ignoreMissing(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!isProviderFailure(error, "NotFound")) throw error;
  }
}
