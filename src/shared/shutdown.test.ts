import { describe, expect, it } from "vitest";
import { silentLogger } from "./log.ts";
import { createShutdown } from "./shutdown.ts";

describe("shutdown", () => {
  it("aborts its signal first, then runs the steps in reverse, one after the other", async () => {
    const shutdown = createShutdown(silentLogger);
    const ran: string[] = [];
    shutdown.onStop("first", () => void ran.push("first"));
    shutdown.onStop("second", async () => {
      await Promise.resolve();
      ran.push(`second, aborted: ${shutdown.signal.aborted}`);
    });
    expect(shutdown.signal.aborted).toBe(false);
    await shutdown.stop("SIGTERM");
    expect(ran).toEqual(["second, aborted: true", "first"]);
    expect(shutdown.signal.reason).toMatchObject({ message: "stopping: SIGTERM" });
  });

  it("continues after a failed step, and logs its name", async () => {
    const errors: object[] = [];
    const shutdown = createShutdown({ ...silentLogger, error: (fields) => errors.push(fields) });
    const ran: string[] = [];
    shutdown.onStop("first", () => void ran.push("first"));
    shutdown.onStop("broken", () => Promise.reject(new Error("no")));
    await shutdown.stop("test");
    expect(ran).toEqual(["first"]);
    expect(errors).toMatchObject([{ step: "broken" }]);
  });

  it("stops once, and all callers wait for the same end", async () => {
    const shutdown = createShutdown(silentLogger);
    let runs = 0;
    shutdown.onStop("step", () => void (runs += 1));
    await Promise.all([shutdown.stop("a"), shutdown.stop("b")]);
    expect(runs).toBe(1);
  });
});
