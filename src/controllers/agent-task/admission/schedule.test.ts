import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schedule, type Contender, type Verdicts } from "./schedule.ts";

const minuteMs = 60_000;
const reserveAfterMs = 10 * minuteMs;

interface Wish {
  actor: number;
  repository: number;
  conversation: number;
  atMs: number;
  runsMs: number;
}

const maxima = { actor: 2, repository: 2, cluster: 3 };

function contender(key: string, wish: Partial<Wish>): Contender {
  const { actor = 0, repository = 0, conversation = Number(key.replace(/\D/g, "")) + 1000, atMs = 0 } = wish;
  return {
    key,
    actor: `actor-${actor}`,
    conversation: `conversation-${conversation}`,
    sinceMs: atMs,
    limits: [
      { key: `actor-${actor}`, max: maxima.actor, describe: "per actor" },
      { key: `repository-${repository}`, max: maxima.repository, describe: "per repository" },
      { key: "cluster", max: maxima.cluster, describe: "cluster" },
    ],
  };
}

function look(waiting: Contender[], running: Contender[] = [], nowMs = 0): Verdicts {
  return schedule({ waiting, running, nowMs, reserveAfterMs });
}

function admitted(verdicts: Verdicts): string[] {
  return [...verdicts].filter(([, verdict]) => verdict.state === "Admitted").map(([key]) => key);
}

describe("schedule", () => {
  it("admits nobody over a limit, and says which one and how many are ahead", () => {
    const waiting = [0, 1, 2, 3].map((n) => contender(`t${n}`, { actor: n, repository: n, atMs: n }));
    const verdicts = look([...waiting, contender("t4", { actor: 4, repository: 4, atMs: 4 })]);
    expect(admitted(verdicts)).toEqual(["t0", "t1", "t2"]);
    expect(verdicts.get("t4")).toEqual({ state: "Waiting", reason: "Queued", position: 1, limit: "cluster" });
  });

  it("lets the second task of a conversation wait for the first, whoever asked", () => {
    const running = [contender("t0", { conversation: 1 })];
    const verdicts = look([contender("t1", { conversation: 1, actor: 1, repository: 1 })], running);
    expect(verdicts.get("t1")).toMatchObject({ state: "Waiting", reason: "ConversationBusy", position: 1 });
  });

  it("admits the oldest of a conversation first even where fairness would prefer a younger one", () => {
    const waiting = [
      contender("t1", { conversation: 1, actor: 0, atMs: 1 }),
      contender("t2", { conversation: 1, actor: 1, atMs: 2 }),
    ];
    expect(admitted(look(waiting, [contender("t0", { actor: 0 })]))).toEqual(["t1"]);
  });

  it("prefers an actor who has nothing at work to one who asked earlier and has", () => {
    const running = [contender("t0", { actor: 0 }), contender("t1", { actor: 5, repository: 5 })];
    const waiting = [
      contender("t2", { actor: 0, repository: 1, atMs: 1 }),
      contender("t3", { actor: 1, repository: 2, atMs: 2 }),
    ];
    expect(admitted(look(waiting, running))).toEqual(["t3"]);
  });

  it("passes by a task whose repository is full", () => {
    const running = [contender("t0", { actor: 0 }), contender("t1", { actor: 1 })];
    const waiting = [contender("t2", { actor: 2, atMs: 1 }), contender("t3", { actor: 3, repository: 1, atMs: 2 })];
    expect(admitted(look(waiting, running))).toEqual(["t3"]);
  });

  it("keeps the place of one that waits too long, so that nobody takes it before its repository is free", () => {
    const running = [contender("t0", { actor: 0 }), contender("t1", { actor: 1 })];
    const waiting = [contender("t2", { actor: 2 }), contender("t3", { actor: 3, repository: 1, atMs: 2 })];
    expect(admitted(look(waiting, running, reserveAfterMs))).toEqual([]);
  });

  it("never goes over a limit, never runs two of a conversation, and starves nobody, whatever comes", () => {
    const wish = fc.record({
      actor: fc.integer({ min: 0, max: 4 }),
      repository: fc.integer({ min: 0, max: 3 }),
      conversation: fc.integer({ min: 0, max: 8 }),
      atMs: fc.integer({ min: 0, max: 60 * minuteMs }),
      runsMs: fc.integer({ min: minuteMs, max: 30 * minuteMs }),
    });
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 25 }), (wishes) => {
        const { latestMs } = simulate(wishes);
        expect(latestMs).toBeLessThan(Number.POSITIVE_INFINITY);
      }),
      { numRuns: 2_000, seed: 1 },
    );
  });

  it("lets a task through an endless stream of others within a bounded time", () => {
    const stream = Array.from({ length: 600 }, (_, n) => ({
      actor: 1 + (n % 7),
      repository: n % 2 === 0 ? 1 : 2,
      conversation: n + 10,
      atMs: n * minuteMs,
      runsMs: 7 * minuteMs,
    }));
    const patient = { actor: 0, repository: 1, conversation: 1, atMs: 5 * minuteMs, runsMs: minuteMs };
    const { startedMs } = simulate([patient, ...stream]);
    expect(startedMs[0]).toBeLessThan(patient.atMs + reserveAfterMs + 3 * 7 * minuteMs);
  });
});

/** Plays a whole history, a minute at a time, and checks the limits at each step. */
function simulate(wishes: Wish[]): { startedMs: number[]; latestMs: number } {
  const all = wishes.map((wish, n) => ({ wish, it: contender(`t${n}`, wish), startedMs: Number.POSITIVE_INFINITY }));
  for (let nowMs = 0; nowMs < 3_000 * minuteMs; nowMs += minuteMs) {
    const waiting = all.filter((one) => one.wish.atMs <= nowMs && one.startedMs > nowMs);
    const running = all.filter((one) => one.startedMs <= nowMs && nowMs < one.startedMs + one.wish.runsMs);
    const names = admitted(
      look(
        waiting.map(({ it }) => it),
        running.map(({ it }) => it),
        nowMs,
      ),
    );
    for (const one of waiting) if (names.includes(one.it.key)) one.startedMs = nowMs;
    expectWithinLimits(all.filter((one) => one.startedMs <= nowMs && nowMs < one.startedMs + one.wish.runsMs));
    if (all.every((one) => one.startedMs < nowMs)) break;
  }
  return { startedMs: all.map((one) => one.startedMs), latestMs: Math.max(0, ...all.map((one) => one.startedMs)) };
}

function expectWithinLimits(running: { it: Contender }[]): void {
  const used = new Map<string, number>();
  for (const { it } of running) {
    for (const { key, max } of [...it.limits, { key: it.conversation, max: 1 }]) {
      used.set(key, (used.get(key) ?? 0) + 1);
      if ((used.get(key) ?? 0) > max) throw new Error(`${key} is over its limit of ${max}`);
    }
  }
}
