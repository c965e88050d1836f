import { describe, expect, it } from "vitest";
import { gitHubIntegrationSpec, type GitHubIntegration } from "../../api/github-integration.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { ProviderError } from "../errors.ts";
import { missed } from "./missed.ts";
import { aGitHubClient, apiSettings, type Answer } from "./testing.ts";

const patiently = new AbortController().signal;
const noon = Date.parse("2026-03-01T12:00:00Z");
const hourAgo = new Date(noon - 3_600_000);

interface Entry {
  id: bigint;
  guid: string;
  delivered_at: string;
  status_code: number;
  redelivery: boolean;
}

const entry = (at: number, over: Partial<Entry> = {}): Entry => ({
  id: 1_864_203_551_777_000_001n + BigInt(at),
  guid: `event-${at}`,
  delivered_at: new Date(noon - at * 1_000).toISOString(),
  status_code: 202,
  redelivery: false,
  ...over,
});

const integration: GitHubIntegration = {
  metadata: { name: "shop", namespace: "team" },
  spec: gitHubIntegrationSpec.parse({
    organization: "acme",
    credentials: { app: { appId: 1, privateKeySecretRef: { name: "app", key: "key" } } },
    triggers: [{ name: "mention", mention: {} }],
    profileRef: { name: "default" },
  }),
};

/** An App whose delivery log has these pages, newest first, each with a link to the next. `again` answers requests for redelivery. */
function anApp(
  pages: readonly Entry[][],
  again: (id: unknown) => void = () => {},
  after: (page: number) => number | undefined = (page) => (page + 1 < pages.length ? page + 1 : undefined),
  clock = new FakeClock(new Date(noon + 3_600_000)),
) {
  const warnings: object[] = [];
  const answer: Answer = (route, { cursor, delivery_id: id }) => {
    if (route.startsWith("POST ")) return again(id);
    const page = Number(cursor ?? 0);
    const next = after(page);
    const link = `<https://api.github.com/app/hook/deliveries?cursor=${next}>; rel="next"`;
    return { data: pages[page] ?? [], headers: next === undefined ? {} : { link } };
  };
  const log = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
  const app = { id: 1, installations: async () => [] };
  const client = aGitHubClient(answer, { app, settings: apiSettings({ log, clock }) });
  return { warnings, log: missed(integration, client) };
}

describe("redeliverMissed", () => {
  it("asks for a redelivery by the exact id, without rounding", async () => {
    const asked: unknown[] = [];
    const { log } = anApp([[entry(0), entry(1, { status_code: 503 })]], (id) => asked.push(id));
    expect(await log.redeliverMissed(hourAgo, patiently)).toEqual({ asked: 1, cursor: new Date(noon), more: false });
    expect(asked).toEqual([1_864_203_551_777_000_002n]);
  });

  it("finds a delivery that appears in the log after a newer one, and asks for none twice meanwhile", async () => {
    const asked: unknown[] = [];
    const clock = new FakeClock(new Date(noon));
    const entries = [entry(1), entry(3, { status_code: 503 })];
    const { log } = anApp(
      [entries],
      (id) => asked.push(id),
      () => undefined,
      clock,
    );
    const first = await log.redeliverMissed(hourAgo, patiently);
    entries.push(entry(6, { status_code: 504 }));
    await clock.advance(30_000);
    expect(await log.redeliverMissed(first.cursor, patiently)).toMatchObject({ asked: 1 });
    expect(await log.redeliverMissed(first.cursor, patiently)).toMatchObject({ asked: 0 });
    expect(asked).toEqual([entry(3).id, entry(6).id]);
    entries.push(entry(-20, { id: 7n, guid: "event-3", status_code: 503, redelivery: true }));
    await clock.advance(30_000);
    expect(await log.redeliverMissed(first.cursor, patiently)).toMatchObject({ asked: 1 });
    expect(asked.at(-1)).toBe(7n);
  });

  it("asks for the twenty oldest at once, and names the time of the first that is left as the next cursor", async () => {
    const asked: unknown[] = [];
    const all = Array.from({ length: 50 }, (_, at) => entry(at, { status_code: 503 }));
    const { log } = anApp([all], (id) => asked.push(id));
    const first = await log.redeliverMissed(hourAgo, patiently);
    expect(first).toEqual({ asked: 20, cursor: new Date(noon - 29_000), more: true });
    expect(asked).toEqual(
      all
        .toReversed()
        .slice(0, 20)
        .map(({ id }) => id),
    );
    expect(await log.redeliverMissed(first.cursor, patiently)).toMatchObject({ asked: 20, more: true });
    expect(await log.redeliverMissed(new Date(noon - 9_000), patiently)).toMatchObject({
      asked: 10,
      cursor: new Date(noon),
      more: false,
    });
  });

  it("asks for the deliveries of one second together, so that the next search asks for none of them again", async () => {
    const asked: unknown[] = [];
    const sameSecond = { status_code: 503, delivered_at: new Date(noon - 5_000).toISOString() };
    const all = [
      entry(1, { status_code: 503 }),
      ...Array.from({ length: 25 }, (_, at) => entry(at + 100, sameSecond)),
      entry(9, { status_code: 503 }),
    ];
    const { log } = anApp([all], (id) => asked.push(id));
    const first = await log.redeliverMissed(hourAgo, patiently);
    expect(first).toEqual({ asked: 26, cursor: new Date(noon - 1_000), more: true });
    expect(await log.redeliverMissed(first.cursor, patiently)).toMatchObject({ asked: 1, more: false });
    expect(new Set(asked).size).toBe(27);
  });

  it("does not try more than twenty, also if GitHub can redeliver none of them", async () => {
    const asked: unknown[] = [];
    const all = Array.from({ length: 50 }, (_, at) => entry(at, { status_code: 503 }));
    const { log } = anApp([all], (id) => {
      asked.push(id);
      throw new ProviderError("NotFound", "gone");
    });
    expect(await log.redeliverMissed(hourAgo, patiently)).toMatchObject({ asked: 0, more: true });
    expect(asked).toHaveLength(20);
  });

  it("logs an event that GitHub cannot redeliver, and redelivers the others", async () => {
    const pages = [[entry(1, { status_code: 503 }), entry(2, { status_code: 503 })]];
    const { log, warnings } = anApp(pages, (id) => {
      if (id === pages[0]?.[1]?.id) throw new ProviderError("NotFound", "cannot redeliver: 404");
    });
    expect(await log.redeliverMissed(hourAgo, patiently)).toMatchObject({ asked: 1 });
    expect(warnings).toMatchObject([{ guid: "event-2", id: "1864203551777000003" }]);
  });

  it("reads a log of many pages back to the given time and no further", async () => {
    const pages = Array.from({ length: 60 }, (_, page) =>
      Array.from({ length: 100 }, (_, at) => entry(page * 59 + at)),
    );
    const young = entry(3_590, { guid: "missed long ago", status_code: 503 });
    const old = entry(3_601, { guid: "older than that", status_code: 503 });
    const asked: unknown[] = [];
    const { log } = anApp([...pages, [young, old], [entry(3_602, { status_code: 503 })]], (id) => asked.push(id));
    expect(await log.redeliverMissed(hourAgo, patiently)).toEqual({ asked: 1, cursor: new Date(noon), more: false });
    expect(asked).toEqual([young.id]);
  });

  it("fails with an error if the log has a loop", async () => {
    const { log } = anApp([[entry(0)]], undefined, () => 1);
    await expect(log.redeliverMissed(hourAgo, patiently)).rejects.toThrow(/has a loop/);
  });
});
