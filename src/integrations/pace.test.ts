import { describe, expect, it } from "vitest";
import { FakeClock } from "../shared/fake-clock.ts";
import { sleep } from "../shared/clock.ts";
import { onWorker } from "../shared/worker.ts";
import { createPace, type Pace, type Urgency } from "./pace.ts";

const patiently = new AbortController().signal;

/** A pace, and the names of the calls that were released, with the seconds. */
function aPace(burst = 1) {
  const clock = new FakeClock();
  const pace: Pace = createPace(clock, { everyMs: 1_000, burst });
  const went: string[] = [];
  const turn = async (name: string, urgency: Urgency = "Answer", signal = patiently): Promise<void> => {
    await pace.turn({ urgency }, signal);
    went.push(name);
  };
  return { clock, pace, went, turn };
}

/** A caller that asks for its turn, waits as long as `ask` says, and then sends its call. */
function asks({ clock, pace, went }: ReturnType<typeof aPace>, ticket: string, urgency: Urgency): { asked: number } {
  const counted = { asked: 0 };
  const again = (): void => {
    counted.asked += 1;
    const waitMs = pace.ask({ urgency, ticket });
    if (waitMs > 0) clock.after(waitMs, again);
    else void pace.turn({ urgency, ticket }, patiently).then(() => went.push(ticket));
  };
  again();
  return counted;
}

describe("a call that waits for its turn", () => {
  it("is sent at once if it is the first, and otherwise in order, a second apart", async () => {
    const { clock, went, turn } = aPace();
    for (const name of ["a", "b", "c"]) void turn(name);
    await clock.advance(0);
    expect(went).toEqual(["a"]);
    await clock.advance(999);
    expect(went).toEqual(["a"]);
    await clock.advance(1);
    expect(went).toEqual(["a", "b"]);
    await clock.advance(1_000);
    expect(went).toEqual(["a", "b", "c"]);
  });

  it("goes by urgency, at the same pace", async () => {
    const { clock, went, turn } = aPace();
    void turn("first");
    for (const urgency of ["Progress", "Recovery", "Answer", "Acknowledgement"] as const) void turn(urgency, urgency);
    await clock.advance(999);
    expect(went).toEqual(["first"]);
    await clock.advance(4_001);
    expect(went).toEqual(["first", "Acknowledgement", "Answer", "Recovery", "Progress"]);
  });

  it("is overtaken nine times in a row at most by more urgent ones, progress nineteen times", async () => {
    const { clock, went, turn } = aPace();
    void turn("redelivery", "Recovery");
    void turn("edit", "Progress");
    void turn("second redelivery", "Recovery");
    for (let n = 0; n < 40; n++) void turn(`reaction ${n}`, "Acknowledgement");
    await clock.advance(40_000);
    expect(went.indexOf("redelivery")).toBe(0);
    expect(went.indexOf("second redelivery")).toBe(10);
    expect(went.indexOf("edit")).toBe(20);
  });

  it("sends requests for missed deliveries before the edits that wait, and reactions before both", async () => {
    const { clock, went, turn } = aPace();
    for (let n = 0; n < 10; n++) void turn(`edit ${n}`, "Progress");
    for (let n = 0; n < 3; n++) void turn(`redelivery ${n}`, "Recovery");
    void turn("reaction", "Acknowledgement");
    await clock.advance(4_000);
    expect(went).toEqual(["edit 0", "reaction", "redelivery 0", "redelivery 1", "redelivery 2"]);
  });

  it("belongs to a burst after a time without calls", async () => {
    const { clock, went, turn } = aPace(3);
    for (const name of ["a", "b", "c", "d", "e"]) void turn(name);
    await clock.advance(0);
    expect(went).toEqual(["a", "b", "c"]);
    await clock.advance(1_000);
    expect(went).toEqual(["a", "b", "c", "d"]);
    await clock.advance(3_000);
    for (const name of ["f", "g", "h"]) void turn(name);
    await clock.advance(0);
    expect(went).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
  });

  it("leaves the line when it is aborted", async () => {
    const { clock, went, turn } = aPace();
    const abort = new AbortController();
    void turn("a");
    const given = turn("b", "Acknowledgement", abort.signal).catch((error: unknown) => error);
    void turn("c");
    abort.abort(new Error("stopping"));
    expect(await given).toMatchObject({ message: "stopping" });
    await clock.advance(1_000);
    expect(went).toEqual(["a", "c"]);
  });

  it("holds no worker", async () => {
    const { clock, turn } = aPace();
    const steps: string[] = [];
    const worker = { release: () => steps.push("released"), resume: () => steps.push("resumed") };
    await onWorker(worker, () => turn("at once"));
    expect(steps).toEqual([]);
    const waiting = onWorker(worker, () => turn("later"));
    await clock.advance(999);
    expect(steps).toEqual(["released"]);
    await clock.advance(1);
    await waiting;
    expect(steps).toEqual(["released", "resumed"]);
  });
});

describe("a burst of sixty mentions", () => {
  it("is acknowledged first, then answered, and edits come last and merged: nothing is sent twice in one second", async () => {
    const world = aPace();
    const { clock, pace, went } = world;
    const sentAtMs: number[] = [];
    const write = async (task: number, urgency: Urgency): Promise<void> => {
      const ticket = `task ${task}`;
      for (let waitMs = pace.ask({ urgency, ticket }); waitMs > 0; waitMs = pace.ask({ urgency, ticket })) {
        await sleep(clock, waitMs);
      }
      await pace.turn({ urgency, ticket }, patiently);
      sentAtMs.push(clock.monotonicMs());
      went.push(urgency);
    };
    const life = async (task: number): Promise<void> => {
      for (const urgency of ["Acknowledgement", "Answer", "Progress", "Answer"] as const) await write(task, urgency);
    };
    const lives = Array.from({ length: 60 }, (_, task) => life(task));
    for (let second = 0; second < 260; second++) await clock.advance(1_000);
    await Promise.all(lives);
    expect(went).toHaveLength(240);
    expect(sentAtMs).toEqual(Array.from({ length: 240 }, (_, at) => at * 1_000));
    const nth = (urgency: Urgency, n: number): number =>
      went.flatMap((one, at) => (one === urgency ? [at] : []))[n - 1] ?? -1;
    expect(nth("Acknowledgement", 60)).toBeLessThanOrEqual(67);
    expect(nth("Answer", 60)).toBeLessThanOrEqual(126);
    expect(nth("Progress", 40)).toBeGreaterThan(nth("Answer", 60));
  });
});

describe("a caller that asks for a turn", () => {
  it("gets it at once if it is free, and otherwise learns when to come back", async () => {
    const { clock, pace } = aPace();
    expect(pace.ask({ urgency: "Answer", ticket: "a" })).toBe(0);
    expect(pace.ask({ urgency: "Answer", ticket: "a" })).toBe(0);
    const waits = ["b", "c", "d"].map((ticket) => pace.ask({ urgency: "Answer", ticket }));
    expect(waits).toEqual([500, 1_500, 2_500]);
    await clock.advance(500);
    expect(pace.ask({ urgency: "Answer", ticket: "c" })).toBe(1_000);
    expect(pace.ask({ urgency: "Answer", ticket: "b" })).toBe(0);
  });

  it("sends its call by urgency and age, a second after the one before, and asks a few times only", async () => {
    const world = aPace();
    const edits = ["edit 1", "edit 2", "edit 3"].map((ticket) => asks(world, ticket, "Progress"));
    await world.clock.advance(0);
    const others = ["post", "reaction"].map((ticket) =>
      asks(world, ticket, ticket === "post" ? "Answer" : "Acknowledgement"),
    );
    const times: number[] = [];
    for (let second = 0; second < 5; second++) {
      await world.clock.advance(second === 0 ? 0 : 1_000);
      times.push(world.went.length);
    }
    expect(times).toEqual([1, 2, 3, 4, 5]);
    expect(world.went).toEqual(["edit 1", "reaction", "post", "edit 2", "edit 3"]);
    expect(Math.max(...[...edits, ...others].map(({ asked }) => asked))).toBeLessThanOrEqual(4);
  });

  it("does not hold up others if it never comes back, and keeps its place if it is late", async () => {
    const { clock, pace } = aPace();
    pace.ask({ urgency: "Answer", ticket: "sent" });
    expect(pace.ask({ urgency: "Acknowledgement", ticket: "gone" })).toBeGreaterThan(0);
    expect(pace.ask({ urgency: "Answer", ticket: "b" })).toBeGreaterThan(0);
    await clock.advance(1_600);
    expect(pace.ask({ urgency: "Answer", ticket: "b" })).toBeGreaterThan(0);
    await clock.advance(2_000);
    expect(pace.ask({ urgency: "Answer", ticket: "b" })).toBe(0);
    await clock.advance(1_000);
    expect(pace.ask({ urgency: "Answer", ticket: "c" })).toBe(0);
    await clock.advance(1_000);
    expect(pace.ask({ urgency: "Acknowledgement", ticket: "gone" })).toBe(0);
  });

  it("loses a turn that it does not use, and then waits in the line", async () => {
    const { clock, pace, went, turn } = aPace();
    expect(pace.ask({ urgency: "Answer", ticket: "slow" })).toBe(0);
    void turn("other");
    await clock.advance(1_000);
    expect(went).toEqual(["other"]);
    await clock.advance(11_000);
    void turn("another");
    const slow = pace.turn({ urgency: "Answer", ticket: "slow" }, patiently).then(() => went.push("slow"));
    await clock.advance(0);
    expect(went).toEqual(["other", "another"]);
    await clock.advance(1_000);
    await slow;
    expect(went).toEqual(["other", "another", "slow"]);
  });

  it("keeps the distance to the call before, even if several come late to their turns at once", async () => {
    const { clock, pace, went } = aPace();
    const tickets = ["a", "b", "c"];
    for (const ticket of tickets) {
      expect(pace.ask({ urgency: "Answer", ticket })).toBe(0);
      await clock.advance(1_000);
    }
    for (const ticket of tickets)
      void pace.turn({ urgency: "Answer", ticket }, patiently).then(() => went.push(ticket));
    await clock.advance(0);
    expect(went).toEqual(["a"]);
    await clock.advance(999);
    expect(went).toEqual(["a"]);
    await clock.advance(1_001);
    expect(went).toEqual(tickets);
  });

  it("moves to the new urgency when its call becomes more urgent, as an edit that becomes the final report", async () => {
    const { clock, pace } = aPace();
    pace.ask({ urgency: "Answer", ticket: "sent" });
    pace.ask({ urgency: "Progress", ticket: "older" });
    pace.ask({ urgency: "Progress", ticket: "ends" });
    expect(pace.ask({ urgency: "Answer", ticket: "ends" })).toBe(500);
    await clock.advance(500);
    expect(pace.ask({ urgency: "Progress", ticket: "older" })).toBeGreaterThan(0);
    expect(pace.ask({ urgency: "Answer", ticket: "ends" })).toBe(0);
  });
});
