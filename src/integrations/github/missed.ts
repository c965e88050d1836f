import type { GitHubIntegration } from "../../api/github-integration.ts";
import type { Logger } from "../../shared/log.ts";
import type { MissedDeliveries } from "../connection.ts";
import { isProviderFailure, ProviderError } from "../errors.ts";
import { apiRoot } from "./api.ts";
import type { GitHubClient } from "./client.ts";
import { pages, redeliveries } from "./limits.ts";

/** One delivery attempt in GitHub's log. All attempts for one event share the `guid`. */
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
 * Asks GitHub to redeliver every event that got no 2xx answer, the oldest first and a few at a time. Reads the whole log instead of the log
 * filtered by failure, because an attempt that reached no receiver has no status code at all.
 */
export function missed(integration: GitHubIntegration, client: GitHubClient): MissedDeliveries {
  const { log: logger, url, clock } = client.settings;
  const asked = askedOf(client);
  return {
    host: new URL(apiRoot(url)).host,
    redeliverMissed: async (since, signal) => {
      let newestMs = since.getTime();
      const missing: Missing[] = [];
      for (const log of logsOf(integration, client)) {
        const attempts = await attemptsSince(log, since, signal);
        newestMs = attempts.reduce((newest, attempt) => Math.max(newest, timeOf(attempt)), newestMs);
        missing.push(...missedAttempts(attempts).map((attempt) => ({ log, attempt })));
      }
      const nowMs = clock.now().getTime();
      forget(asked, nowMs);
      const { now, leftMs } = divide(missing.filter(({ attempt }) => !asked.has(attempt.id)));
      let count = 0;
      for (const { log, attempt } of now) {
        count += await askAgain(log, attempt, logger, signal);
        asked.set(attempt.id, nowMs);
      }
      // The next search begins earlier than the newest delivery: others of that time may not be in the log yet.
      const cursorMs = Math.max(since.getTime(), Math.min(leftMs ?? newestMs, nowMs - redeliveries.lateMs));
      return { asked: count, cursor: new Date(cursorMs), more: leftMs !== undefined };
    },
  };
}

/** The attempts that were asked for, with the time. */
type Asked = Map<Attempt["id"], number>;

const askedByClient = new WeakMap<GitHubClient, Asked>();

function askedOf(client: GitHubClient): Asked {
  const asked = askedByClient.get(client) ?? new Map();
  askedByClient.set(client, asked);
  return asked;
}

function forget(asked: Asked, nowMs: number): void {
  for (const [id, atMs] of asked) if (nowMs - atMs > redeliveries.rememberMs) asked.delete(id);
}

interface Missing {
  log: Log;
  attempt: Attempt;
}

/**
 * The deliveries to ask for now, and the time of the first one that is left. The log has whole seconds: deliveries of one second are not
 * divided, so that the next search, which begins with the second of the first one that is left, asks for none of them a second time.
 */
function divide(missing: readonly Missing[]): { now: Missing[]; leftMs: number | undefined } {
  const oldestFirst = missing.toSorted((a, b) => timeOf(a.attempt) - timeOf(b.attempt));
  const last = oldestFirst[redeliveries.atOnce - 1];
  const left = last && oldestFirst.find(({ attempt }) => timeOf(attempt) > timeOf(last.attempt));
  return {
    now: left ? oldestFirst.slice(0, oldestFirst.indexOf(left)) : oldestFirst,
    leftMs: left && timeOf(left.attempt),
  };
}

function timeOf({ delivered_at }: Attempt): number {
  return Date.parse(delivered_at);
}

/** The newest attempt of every event that no attempt delivered. A redelivery that was refused for good is left out. */
function missedAttempts(attempts: readonly Attempt[]): Attempt[] {
  const arrived = new Set(attempts.filter(({ status_code }) => isSuccess(status_code)).map(({ guid }) => guid));
  const newest = new Map<string, Attempt>();
  for (const attempt of attempts) {
    const known = newest.get(attempt.guid);
    if (!known || timeOf(known) < timeOf(attempt)) newest.set(attempt.guid, attempt);
  }
  return [...newest.values()].filter((attempt) => !arrived.has(attempt.guid) && !isRefused(attempt));
}

/** The receiver refused the redelivery for good (no time-out, rate limit or outage): the same body would get the same answer again. */
function isRefused({ redelivery, status_code }: Attempt): boolean {
  return redelivery && status_code >= 400 && status_code <= 501 && status_code !== 408 && status_code !== 429;
}

function isSuccess(statusCode: number): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** Reads all pages without a limit: the newest attempts come first and the next run starts after them, so a skipped page would be lost. */
async function attemptsSince(log: Log, since: Date, signal: AbortSignal): Promise<Attempt[]> {
  const found: Attempt[] = [];
  const read = new Set<string>();
  let cursor: string | undefined;
  do {
    const { data, headers } = await log.page(cursor, signal);
    // Includes the second of `since`, or later attempts in it would be lost. Answered events are recognised by their guid.
    const young = data.filter(({ delivered_at }) => Date.parse(delivered_at) >= since.getTime());
    found.push(...young.map(neededFields));
    cursor = young.length === data.length ? nextCursor(headers.link) : undefined;
    if (cursor !== undefined && read.has(cursor)) {
      throw new ProviderError("Invalid", "the delivery log has a loop: its next page was already read");
    }
    if (cursor !== undefined) read.add(cursor);
  } while (cursor !== undefined);
  return found;
}

/** Copies only the needed fields of an entry, to save memory while a long log is read. */
function neededFields({ id, guid, delivered_at, status_code, redelivery }: Attempt): Attempt {
  return { id, guid, delivered_at, status_code, redelivery };
}

function nextCursor(link: string | undefined): string | undefined {
  const next = link?.split(",").find((part) => part.includes('rel="next"'));
  const address = next && /<([^<>]+)>/.exec(next)?.[1];
  return address && URL.canParse(address) ? (new URL(address).searchParams.get("cursor") ?? undefined) : undefined;
}

/** GitHub cannot redeliver an event that it no longer keeps: logs that and goes on with the other events. */
async function askAgain(log: Log, attempt: Attempt, logger: Logger, signal: AbortSignal): Promise<number> {
  try {
    await log.again(attempt.id, signal);
    return 1;
  } catch (error) {
    if (!isProviderFailure(error, "NotFound", "Invalid")) throw error;
    const { id, guid, delivered_at: deliveredAt } = attempt;
    logger.warn({ error, id: String(id), guid, deliveredAt }, "GitHub cannot redeliver a missed event");
    return 0;
  }
}

/**
 * The id for the path of a request, unchanged. Ids of deliveries are beyond 2^53, so Octokit reads them as bigint although its types say
 * number. `Number(id)` would name another delivery or none.
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
  const again = self.paced({ urgency: "Recovery" });
  return {
    page: (cursor, signal) =>
      self.request(
        "read the App's delivery log",
        "GET /app/hook/deliveries",
        { per_page: pages.size, ...(cursor ? { cursor } : {}) },
        signal,
      ),
    again: (id, signal) =>
      again("redeliver", "POST /app/hook/deliveries/{delivery_id}/attempts", { delivery_id: unrounded(id) }, signal),
  };
}

function hookLog({ self }: GitHubClient, target: string, hookId: number): Log {
  const [owner = "", repo] = target.split("/");
  const doing = `read the delivery log of ${target}`;
  const again = self.paced({ urgency: "Recovery" });
  if (repo === undefined) {
    const at = { org: owner, hook_id: hookId };
    return {
      page: (cursor, signal) =>
        self.request(
          doing,
          "GET /orgs/{org}/hooks/{hook_id}/deliveries",
          { ...at, per_page: pages.size, ...(cursor ? { cursor } : {}) },
          signal,
        ),
      again: (id, signal) =>
        again(
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
        { ...at, per_page: pages.size, ...(cursor ? { cursor } : {}) },
        signal,
      ),
    again: (id, signal) =>
      again(
        "redeliver",
        "POST /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts",
        { ...at, delivery_id: unrounded(id) },
        signal,
      ),
  };
}
