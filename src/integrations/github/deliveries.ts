import type { GitHubIntegration } from "../../api/kinds.ts";
import type { Logger } from "../../shared/log.ts";
import type { DeliveryLog } from "../connection.ts";
import { isProviderFailure, ProviderError } from "../errors.ts";
import type { GitHubClient } from "./client.ts";

/** One attempt at a delivery, as GitHub's log has it. Attempts of one event share the `guid`. */
interface Attempt {
  id: number | bigint;
  guid: string;
  delivered_at: string;
  status_code: number;
  redelivery: boolean;
}

interface Log {
  page(
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<{ data: Attempt[]; headers: { link?: string | undefined } }>;
  again(id: Attempt["id"], signal: AbortSignal): Promise<unknown>;
}

/**
 * Asks GitHub to deliver again what nobody answered 2xx. The whole log is read, not the one filtered by failure: an attempt that found
 * nobody there has no status code at all.
 */
export function deliveryLog(integration: GitHubIntegration, client: GitHubClient): DeliveryLog {
  const { log: logger } = client.settings;
  return {
    redeliverMissed: async (since, signal) => {
      let asked = 0;
      let cursor = since;
      for (const log of logsOf(integration, client)) {
        const attempts = await attemptsSince(log, since, signal);
        for (const attempt of missed(attempts)) asked += await askAgain(log, attempt, logger, signal);
        for (const { delivered_at } of attempts) cursor = later(cursor, new Date(delivered_at));
      }
      return { asked, cursor };
    },
  };
}

function later(a: Date, b: Date): Date {
  return b > a ? b : a;
}

/** The newest attempt of every event that no attempt brought home, oldest first. A redelivery that got a definite no is not repeated. */
export function missed(attempts: readonly Attempt[]): Attempt[] {
  const arrived = new Set(attempts.filter(({ status_code }) => isSuccess(status_code)).map(({ guid }) => guid));
  const newest = new Map<string, Attempt>();
  for (const attempt of attempts) {
    const known = newest.get(attempt.guid);
    if (!known || Date.parse(known.delivered_at) < Date.parse(attempt.delivered_at)) newest.set(attempt.guid, attempt);
  }
  return [...newest.values()]
    .filter((attempt) => !arrived.has(attempt.guid) && !isParked(attempt))
    .sort((a, b) => Date.parse(a.delivered_at) - Date.parse(b.delivered_at));
}

/** Neither a time-out, a pause, nor a receiver that is away: the same body would get the same answer for ever. */
function isParked({ redelivery, status_code }: Attempt): boolean {
  return redelivery && status_code >= 400 && status_code <= 501 && status_code !== 408 && status_code !== 429;
}

function isSuccess(statusCode: number): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** However many pages they fill: the newest come first, and the next look begins after them, so that what is left out is lost. */
async function attemptsSince(log: Log, since: Date, signal: AbortSignal): Promise<Attempt[]> {
  const found: Attempt[] = [];
  const read = new Set<string>();
  let cursor: string | undefined;
  do {
    const { data, headers } = await log.page(cursor, signal);
    // The same second as well: what came after the last look in it would be lost, and what had been answered is known by its guid.
    const young = data.filter(({ delivered_at }) => Date.parse(delivered_at) >= since.getTime());
    found.push(...young.map(essence));
    cursor = young.length === data.length ? nextCursor(headers.link) : undefined;
    if (cursor !== undefined && read.has(cursor)) {
      throw new ProviderError("Invalid", "the delivery log leads back to a page that was read, and never to its end");
    }
    if (cursor !== undefined) read.add(cursor);
  } while (cursor !== undefined);
  return found;
}

/** What is kept of an entry while the rest of a long log is read. */
function essence({ id, guid, delivered_at, status_code, redelivery }: Attempt): Attempt {
  return { id, guid, delivered_at, status_code, redelivery };
}

function nextCursor(link: string | undefined): string | undefined {
  const next = link?.split(",").find((part) => part.includes('rel="next"'));
  const address = next && /<([^<>]+)>/.exec(next)?.[1];
  return address && URL.canParse(address) ? (new URL(address).searchParams.get("cursor") ?? undefined) : undefined;
}

/** What GitHub does not keep any more cannot be asked for: that is said, and the rest goes on. */
async function askAgain(log: Log, attempt: Attempt, logger: Logger, signal: AbortSignal): Promise<number> {
  try {
    await log.again(attempt.id, signal);
    return 1;
  } catch (error) {
    if (!isProviderFailure(error, "NotFound", "Invalid")) throw error;
    const { id, guid, delivered_at: deliveredAt } = attempt;
    logger.warn({ error, id: String(id), guid, deliveredAt }, "GitHub does not deliver a missed event again");
    return 0;
  }
}

/**
 * For the path, which takes it as it is: ids of deliveries are beyond 2^53, so that Octokit reads them as bigint, although its types say
 * number. `Number(id)` would be another delivery, or none.
 */
function unrounded(id: Attempt["id"]): number {
  return id as number;
}

function logsOf(integration: GitHubIntegration, client: GitHubClient): Log[] {
  if (client.app) return [appLog(client)];
  return (integration.status?.hooks ?? []).flatMap(({ target, id }) =>
    id ? [hookLog(client, target, Number(id))] : [],
  );
}

function appLog({ self }: GitHubClient): Log {
  return {
    page: (cursor, signal) =>
      self.request(
        "read the App's delivery log",
        "GET /app/hook/deliveries",
        { per_page: 100, ...(cursor ? { cursor } : {}) },
        signal,
      ),
    again: (id, signal) =>
      self.request(
        "redeliver",
        "POST /app/hook/deliveries/{delivery_id}/attempts",
        { delivery_id: unrounded(id) },
        signal,
      ),
  };
}

function hookLog({ self }: GitHubClient, target: string, hookId: number): Log {
  const [owner = "", repo] = target.split("/");
  const doing = `read the delivery log of ${target}`;
  if (repo === undefined) {
    const at = { org: owner, hook_id: hookId };
    return {
      page: (cursor, signal) =>
        self.request(
          doing,
          "GET /orgs/{org}/hooks/{hook_id}/deliveries",
          { ...at, per_page: 100, ...(cursor ? { cursor } : {}) },
          signal,
        ),
      again: (id, signal) =>
        self.request(
          "redeliver",
          "POST /orgs/{org}/hooks/{hook_id}/deliveries/{delivery_id}/attempts",
          { ...at, delivery_id: unrounded(id) },
          signal,
        ),
    };
  }
  const at = { owner, repo, hook_id: hookId };
  return {
    page: (cursor, signal) =>
      self.request(
        doing,
        "GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries",
        { ...at, per_page: 100, ...(cursor ? { cursor } : {}) },
        signal,
      ),
    again: (id, signal) =>
      self.request(
        "redeliver",
        "POST /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts",
        { ...at, delivery_id: unrounded(id) },
        signal,
      ),
  };
}
