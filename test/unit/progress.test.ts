import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src/shared/fake-clock.ts";
import { startProgress } from "../cluster/progress.ts";

function aProgress() {
  const clock = new FakeClock();
  const said: string[] = [];
  return { clock, said, progress: startProgress((line) => said.push(line), clock) };
}

describe("progress", () => {
  it("prints one line with the remaining parts, their duration and state, and the finished parts", async () => {
    const { clock, said, progress } = aProgress();
    const [daemons, images] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
    const got = progress.part("daemons", (now) => (now("7 of 9 packages"), daemons.promise));
    const built = progress.part("images", () => images.promise);
    await clock.advance(10_000);
    images.resolve();
    await built;
    await clock.advance(190_000);
    expect(said[0]).toBe("waiting for: daemons (10 s so far: 7 of 9 packages), images (10 s so far)");
    expect(said.at(-1)).toBe("waiting for: daemons (3 min 20 s so far: 7 of 9 packages); done: images");
    expect(said).toHaveLength(20);
    daemons.resolve("a folder");
    expect(await got).toBe("a folder");
    await clock.advance(60_000);
    expect(said).toHaveLength(20);
  });

  it("prints nothing if all parts finish at once", async () => {
    const { clock, said, progress } = aProgress();
    await progress.part("daemons", () => Promise.resolve());
    await clock.advance(60_000);
    expect(said).toEqual([]);
  });

  it("starts a part once, and gives later callers the same result or failure", async () => {
    const { clock, said, progress } = aProgress();
    let begun = 0;
    const work = (): Promise<never> => (begun++, Promise.reject(new Error("no Go")));
    await expect(progress.part("daemons", work)).rejects.toThrow("no Go");
    await expect(progress.part("daemons", work)).rejects.toThrow("no Go");
    expect(begun).toBe(1);
    void progress.part("images", () => new Promise(() => {}));
    await clock.advance(10_000);
    expect(said).toEqual(["waiting for: images (10 s so far)"]);
  });
});
