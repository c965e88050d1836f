import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { aSandbox, closeSandboxes, type TestSandbox } from "../testing.ts";
import { signalAgent } from "./agent-files.ts";

afterEach(closeSandboxes);

async function working(command: string): Promise<TestSandbox> {
  const sandbox = await aSandbox({ base: "echo a >file" });
  await sandbox.checkout();
  sandbox.agent(["/bin/sh", "-c", `echo >started; ${command}`]);
  const started = path.join(sandbox.places.workspace, "started");
  await expect.poll(() => existsSync(started)).toBe(true);
  return sandbox;
}

const stateFile = (sandbox: TestSandbox): string => path.join(sandbox.places.courier, "state.json");

describe("the sidecar", { timeout: 60_000 }, () => {
  it("reports why it asked the agent to end, even if it was killed meanwhile", async () => {
    const sandbox = await working("sleep 100");
    writeFileSync(stateFile(sandbox), JSON.stringify({ ackedBytes: 0, sequence: 0, asked: "AgentStalled" }));
    signalAgent(sandbox.places, "stop");
    await expect.poll(() => existsSync(path.join(sandbox.places.out, "stopped"))).toBe(true);
    expect(await sandbox.run()).toMatchObject({ reason: "AgentStalled" });
  });

  it("repeats a request to end that it had stored before it was killed", async () => {
    const sandbox = await working("sleep 100");
    writeFileSync(stateFile(sandbox), JSON.stringify({ ackedBytes: 0, sequence: 0, asked: "WallClockExceeded" }));
    expect(await sandbox.run()).toMatchObject({ reason: "WallClockExceeded" });
  });

  it("lets the agent's container exit and writes the outcome, even if its own volume is full", async () => {
    const sandbox = await working("while ! [ -e go ]; do sleep 0.1; done; exit 3");
    const running = sandbox.run();
    await expect.poll(() => existsSync(stateFile(sandbox))).toBe(true);
    // Makes every write of the state fail, as on a full volume.
    mkdirSync(`${stateFile(sandbox)}.new`);
    writeFileSync(path.join(sandbox.places.workspace, "go"), "");
    expect(await running).toMatchObject({ reason: "AgentFailed", exitCode: 3 });
    expect(existsSync(path.join(sandbox.places.in, "release"))).toBe(true);
  });

  it("does not claim that the pod was terminated if the agent may have ended its own first process", async () => {
    const sandbox = await working('kill -TERM "$PPID"; sleep 100');
    expect(await sandbox.run()).toMatchObject({
      reason: "Stopped",
      message: expect.stringContaining("not from the courier"),
    });
  });

  it("reports that the pod was terminated if the courier was asked to end", async () => {
    const sandbox = await working("sleep 100");
    expect(await sandbox.run({ terminate: AbortSignal.abort() })).toMatchObject({
      reason: "Stopped",
      message: expect.stringContaining("The sandbox pod was terminated"),
    });
  });
});
