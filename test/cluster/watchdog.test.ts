import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { isAlive } from "./process-node/testing.ts";

/** A parent process with a daemon that has a child, a daemon that is already stopped, and a folder. It prints the process ids. */
const parent = `
  import { startDaemon } from ${JSON.stringify(join(import.meta.dirname, "daemon.ts"))};
  import { guardFolder } from ${JSON.stringify(join(import.meta.dirname, "watchdog.ts"))};
  const folder = process.argv[1];
  guardFolder(folder);
  const start = (script) => startDaemon({ command: "/bin/sh", args: ["-c", script], logFile: folder + "/log" });
  const stopped = await start("sleep 1000");
  await stopped.stop();
  const daemon = await start("sleep 1000 & echo $!; wait");
  while (daemon.tail() === "") await new Promise((resolve) => setTimeout(resolve, 20));
  console.log(daemon.pid, daemon.tail().trim());
  process.stdin.on("data", () => {
    throw new Error("on purpose");
  });
`;

describe("the child processes of a process, and its folder", () => {
  it.each([
    { how: "is killed", end: (child: ChildProcess) => child.kill("SIGKILL") },
    { how: "throws", end: (child: ChildProcess) => child.stdin?.write("now") },
  ])("are gone after it $how", async ({ end }) => {
    const folder = await mkdtemp(join(tmpdir(), "bellhop-watchdog-"));
    const child = spawn(process.execPath, ["--input-type=module", "-e", parent, folder], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const pids = await eventually(() => output.endsWith("\n") && output.trim().split(" ").map(Number), {
      describe: "the process ids",
    });
    expect(pids).toHaveLength(2);
    expect(pids.map(isAlive)).toEqual([true, true]);
    end(child);
    await eventually(() => !pids.some(isAlive) && !existsSync(folder), { describe: "everything to be gone" });
  });
});
