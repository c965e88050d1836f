import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byReceipt } from "../state.ts";
import { schedule, type Contender, type Expected, type Verdicts } from "./schedule.ts";

const minuteMs = 60_000;
const reserveAfterMs = 10 * minuteMs;

interface Wish {
  actor: number;
  repository: number;
  conversation: number;
  atMs: number;
  occurredMs?: number;
  runsMs: number;
}

const maxima = { actor: 2, repository: 2, cluster: 3 };

function contender(key: string, wish: Partial<Wish>): Contender {
  const { actor = 0, repository = 0, conversation = Number(key.replace(/\D/g, "")) + 1000, atMs = 0 } = wish;
  const occurredMs = wish.occurredMs ?? atMs;
  return {
    key,
    actor: `actor-${actor}`,
    conversation: `conversation-${conversation}`,
    receipt: { receivedMs: atMs, occurredMs, objectId: "", name: key },
    limits: [
      { key: `actor-${actor}`, max: maxima.actor, describe: "per actor" },
      { key: `repository-${repository}`, max: maxima.repository, describe: "per repository" },
      { key: "cluster", max: maxima.cluster, describe: "cluster" },
    ],
  };
}

function look(
  waiting: Contender[],
  running: Contender[] = [],
  { nowMs = 0, expected = [] as Expected[] } = {},
): Verdicts {
  return schedule({ waiting, running, expected, nowMs, reserveAfterMs });
}

function admitted(verdicts: Verdicts): string[] {
  return [...verdicts].filter(([, verdict]) => verdict.state === "Admitted").map(([key]) => key);
}

describe("schedule", () => {
  it("admits no task over a limit, and names the limit and the number of tasks ahead", () => {
    const waiting = [0, 1, 2, 3].map((n) => contender(`t${n}`, { actor: n, repository: n, atMs: n }));
    const verdicts = look([...waiting, contender("t4", { actor: 4, repository: 4, atMs: 4 })]);
    expect(admitted(verdicts)).toEqual(["t0", "t1", "t2"]);
    expect(verdicts.get("t4")).toEqual({ state: "Waiting", reason: "Queued", position: 1, limit: "cluster" });
  });

  it("makes the second task of a conversation wait for the first, whoever the requesters are", () => {
    const running = [contender("t0", { conversation: 1 })];
    const verdicts = look([contender("t1", { conversation: 1, actor: 1, repository: 1 })], running);
    expect(verdicts.get("t1")).toMatchObject({ state: "Waiting", reason: "ConversationBusy", position: 1 });
  });

  it("admits the oldest task of a conversation first, even if fairness prefers a newer one", () => {
    const waiting = [
      contender("t1", { conversation: 1, actor: 0, atMs: 1 }),
      contender("t2", { conversation: 1, actor: 1, atMs: 2 }),
    ];
    expect(admitted(look(waiting, [contender("t0", { actor: 0 })]))).toEqual(["t1"]);
  });

  it("counts each earlier task of a conversation once, also in the pass that admits one of them", () => {
    const waiting = [1, 2, 3].map((n) => contender(`t${n}`, { conversation: 1, actor: n, repository: n, atMs: n }));
    expect([...look(waiting).values()]).toMatchObject([{ state: "Admitted" }, { position: 1 }, { position: 2 }]);
  });

  it("makes a task wait for an earlier one of its conversation that is not authorised yet", () => {
    const [first, second] = [contender("t1", { atMs: 1 }), contender("t2", { atMs: 2 })];
    const onIssue = { ...second, conversation: "issue" };
    const before = look([onIssue], [], { expected: [{ conversation: "issue", receipt: first.receipt }] });
    expect(before.get("t2")).toMatchObject({ state: "Waiting", reason: "ConversationBusy", position: 1 });
    const elsewhere = { conversation: "another", receipt: first.receipt };
    const after = { conversation: "issue", receipt: contender("t3", { atMs: 3 }).receipt };
    expect(admitted(look([onIssue], [], { expected: [elsewhere, after] }))).toEqual(["t2"]);
  });

  it("runs the tasks of a conversation in the order of receipt, to the millisecond, whatever their names", () => {
    const wish = fc.record({
      actor: fc.integer({ min: 0, max: 3 }),
      repository: fc.integer({ min: 0, max: 1 }),
      conversation: fc.integer({ min: 0, max: 2 }),
      atMs: fc.integer({ min: 0, max: 999 }),
      occurredMs: fc.integer({ min: 0, max: 1 }).map((second) => second * 1000),
      runsMs: fc.integer({ min: minuteMs, max: 5 * minuteMs }),
    });
    fc.assert(
      fc.property(fc.array(wish, { minLength: 2, maxLength: 12 }), (wishes) => {
        const { all } = simulate(wishes);
        for (const one of all)
          for (const other of all) {
            if (one === other || one.wish.conversation !== other.wish.conversation) continue;
            expect(byReceipt(one.it.receipt, other.it.receipt) < 0).toBe(one.startedMs < other.startedMs);
          }
      }),
      { numRuns: 500, seed: 7 },
    );
  });

  it("sorts a conversation of thousands once, and does not compare each of its tasks with each", () => {
    let reads = 0;
    const waiting = Array.from({ length: 2_000 }, (_, n) => {
      const one = contender(`t${n}`, { conversation: 1, atMs: n });
      const receipt = new Proxy(one.receipt, { get: (target, key) => ((reads += 1), Reflect.get(target, key)) });
      return { ...one, receipt };
    });
    expect(look(waiting).get("t1999")).toMatchObject({ reason: "ConversationBusy", position: 1_999 });
    expect(reads).toBeLessThan(2_000 * 200);
  });

  it("prefers an actor without running tasks to one who asked earlier but has a running task", () => {
    const running = [contender("t0", { actor: 0 }), contender("t1", { actor: 5, repository: 5 })];
    const waiting = [
      contender("t2", { actor: 0, repository: 1, atMs: 1 }),
      contender("t3", { actor: 1, repository: 2, atMs: 2 }),
    ];
    expect(admitted(look(waiting, running))).toEqual(["t3"]);
  });

  it("skips a task whose repository is at its limit", () => {
    const running = [contender("t0", { actor: 0 }), contender("t1", { actor: 1 })];
    const waiting = [contender("t2", { actor: 2, atMs: 1 }), contender("t3", { actor: 3, repository: 1, atMs: 2 })];
    expect(admitted(look(waiting, running))).toEqual(["t3"]);
  });

  it("reserves a place for a task that waits too long, until its repository is free", () => {
    const running = [contender("t0", { actor: 0 }), contender("t1", { actor: 1 })];
    const waiting = [contender("t2", { actor: 2 }), contender("t3", { actor: 3, repository: 1, atMs: 2 })];
    expect(admitted(look(waiting, running, { nowMs: reserveAfterMs }))).toEqual([]);
  });

  it("never exceeds a limit, never runs two tasks of a conversation, and starves no task, for any input", () => {
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

  it("admits a task within a bounded time despite an endless stream of others", () => {
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

interface Played {
  wish: Wish;
  it: Contender;
  startedMs: number;
}

/** Simulates a whole history, one minute at a time, and checks the limits at each step. */
function simulate(wishes: Wish[]): { all: Played[]; startedMs: number[]; latestMs: number } {
  const all: Played[] = wishes.map((wish, n) => ({
    wish,
    it: contender(`t${n}`, wish),
    startedMs: Number.POSITIVE_INFINITY,
  }));
  for (let nowMs = 0; nowMs < 3_000 * minuteMs; nowMs += minuteMs) {
    const waiting = all.filter((one) => one.wish.atMs <= nowMs && one.startedMs > nowMs);
    const running = all.filter((one) => one.startedMs <= nowMs && nowMs < one.startedMs + one.wish.runsMs);
    const names = admitted(
      look(
        waiting.map(({ it }) => it),
        running.map(({ it }) => it),
        { nowMs },
      ),
    );
    for (const one of waiting) if (names.includes(one.it.key)) one.startedMs = nowMs;
    expectWithinLimits(all.filter((one) => one.startedMs <= nowMs && nowMs < one.startedMs + one.wish.runsMs));
    if (all.every((one) => one.startedMs < nowMs)) break;
  }
  const startedMs = all.map((one) => one.startedMs);
  return { all, startedMs, latestMs: Math.max(0, ...startedMs) };
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
