import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** Runs `start` as a process, sends it the signal (if given) when it logs "now", and returns how it ended. */
async function processOf(
  start: string,
  signal?: NodeJS.Signals,
): Promise<{ code: number | null; lines: Record<string, unknown>[]; stderr: string }> {
  const main = JSON.stringify(join(import.meta.dirname, "process.ts"));
  const script = `import { runProcess } from ${main}; await runProcess("test", async ({ log, shutdown }) => { ${start} });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    if (signal && chunk.toString().includes('"now"')) child.kill(signal);
  });
  const [code] = (await once(child, "close")) as [number | null];
  const lines = stdout.trim().split("\n");
  return { code, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>), stderr };
}

const stepOf = (lines: Record<string, unknown>[]): unknown[] => lines.map(({ message }) => message);

describe("a process", () => {
  it("exits 0 on SIGTERM when its steps are done, also while it starts", async () => {
    const { code, lines, stderr } = await processOf(
      `shutdown.onStop("step", () => log.info({}, "step"));
       log.info({}, "now");
       await new Promise((_, reject) => shutdown.signal.addEventListener("abort", () => reject(shutdown.signal.reason)));`,
      "SIGTERM",
    );
    expect({ code, stderr, said: stepOf(lines) }).toEqual({
      code: 0,
      stderr: "",
      said: ["now", "stopping", "step", "stopped"],
    });
  });

  it("waits on SIGTERM for work that ends with it", async () => {
    const { code, lines } = await processOf(
      `log.info({}, "now");
       await new Promise((resolve) => shutdown.signal.addEventListener("abort", resolve));
       await new Promise((resolve) => setTimeout(resolve, 50));
       log.info({}, "the work has ended");`,
      "SIGTERM",
    );
    expect(code).toBe(0);
    expect(stepOf(lines).at(-1)).toBe("the work has ended");
  });

  it.each([
    { how: "it cannot start", start: `throw new Error("no cluster");` },
    { how: "an error is uncaught", start: `setTimeout(() => { throw new Error("no cluster"); }, 1);` },
    { how: "a rejection is uncaught", start: `void Promise.reject(new Error("no cluster"));` },
  ])("logs the reason in one line and exits 1 after its steps if $how", async ({ start }) => {
    const { code, lines, stderr } = await processOf(`shutdown.onStop("step", () => log.info({}, "step")); ${start}`);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(lines[0]).toMatchObject({
      process: "test",
      level: "error",
      message: "the process failed",
      why: "no cluster",
    });
    expect(stepOf(lines)).toContain("step");
  });
});
