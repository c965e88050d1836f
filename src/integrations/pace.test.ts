import { describe, expect, it } from "vitest";
import { FakeClock } from "../shared/fake-clock.ts";
import { createPace, type Pace } from "./pace.ts";

const patiently = new AbortController().signal;

/** A pace, and the names of the writes that were released. */
function aPace(burst = 1): {
  clock: FakeClock;
  went: string[];
  ask: (name: string, urgent?: boolean, signal?: AbortSignal) => Promise<void>;
} {
  const clock = new FakeClock();
  const pace: Pace = createPace(clock, { everyMs: 1_000, burst });
  const went: string[] = [];
  const ask = async (name: string, urgent = false, signal = patiently): Promise<void> => {
    await pace.turn({ urgent }, signal);
    went.push(name);
  };
  return { clock, went, ask };
}

describe("the pace of calls", () => {
  it("releases the first write at once, and the others in order, a second apart", async () => {
    const { clock, went, ask } = aPace();
    for (const name of ["a", "b", "c"]) void ask(name);
    await clock.advance(0);
    expect(went).toEqual(["a"]);
    await clock.advance(999);
    expect(went).toEqual(["a"]);
    await clock.advance(1);
    expect(went).toEqual(["a", "b"]);
    await clock.advance(1_000);
    expect(went).toEqual(["a", "b", "c"]);
  });

  it("releases urgent writes first, at the same pace", async () => {
    const { clock, went, ask } = aPace();
    for (const name of ["a", "b", "c"]) void ask(name);
    void ask("reaction", true);
    void ask("second reaction", true);
    await clock.advance(999);
    expect(went).toEqual(["a"]);
    await clock.advance(2_001);
    expect(went).toEqual(["a", "reaction", "second reaction", "b"]);
  });

  it("releases a burst at once after a time without calls, and then one call at a time", async () => {
    const { clock, went, ask } = aPace(3);
    for (const name of ["a", "b", "c", "d", "e"]) void ask(name);
    await clock.advance(0);
    expect(went).toEqual(["a", "b", "c"]);
    await clock.advance(1_000);
    expect(went).toEqual(["a", "b", "c", "d"]);
    await clock.advance(3_000);
    for (const name of ["f", "g", "h"]) void ask(name);
    await clock.advance(0);
    expect(went).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
  });

  it("gives no turn to an aborted write", async () => {
    const { clock, went, ask } = aPace();
    const abort = new AbortController();
    void ask("a");
    const given = ask("b", true, abort.signal).catch((error: unknown) => error);
    void ask("c");
    abort.abort(new Error("stopping"));
    expect(await given).toMatchObject({ message: "stopping" });
    await clock.advance(1_000);
    expect(went).toEqual(["a", "c"]);
  });
});
