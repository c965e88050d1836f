import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { aSandbox, closeSandboxes, ended, sh, type TestSandbox } from "./testing.ts";

const running: ChildProcess[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill("SIGKILL");
    await ended(child);
  }
  await closeSandboxes();
});

function courier({ places }: TestSandbox, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "main.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      BELLHOP_IN: places.in,
      BELLHOP_OUT: places.out,
      BELLHOP_WORKSPACE: places.workspace,
      BELLHOP_COURIER: places.courier,
      BELLHOP_CONTEXT: places.context,
      BELLHOP_TOKEN_FILE: places.tokenFile,
      BELLHOP_TERMINATION_LOG: places.terminationLog,
      BELLHOP_ISOLATION: places.isolation,
    },
  });
  running.push(child);
  return child;
}

function said(child: ChildProcess): { text: string } {
  const all = { text: "" };
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (all.text += chunk.toString()));
  return all;
}

describe("the courier as a process", { timeout: 90_000 }, () => {
  it("checks out, publishes, waits to be asked to end, and tells no token", async () => {
    const sandbox = await aSandbox({ base: "echo a >file" });
    const checkout = courier(sandbox, "checkout");
    const words = [said(checkout)];
    expect(await ended(checkout)).toBe(0);
    sandbox.agent(["/bin/sh", "-c", "echo b >file"]);
    const run = courier(sandbox, "run");
    words.push(said(run));
    await expect.poll(() => existsSync(path.join(sandbox.places.in, "release")), { timeout: 60_000 }).toBe(true);
    expect(run.exitCode).toBeNull();
    run.kill("SIGTERM");
    expect(await ended(run)).toBe(0);
    expect(sandbox.outcome()).toMatchObject({ reason: "Published" });
    const text = words.map((one) => one.text).join("");
    expect(text).toContain("the attempt has ended");
    expect(text).not.toMatch(new RegExp(`${sandbox.testBroker.token}|courier-1|agent-1`));
  });

  it("fails the checkout with an outcome when the commit is not there", async () => {
    const sandbox = await aSandbox({ base: "echo a >file" });
    const spec = { ...sandbox.spec, checkout: { headSHA: "0123456789".repeat(4), branch: "main" } };
    writeFileSync(path.join(sandbox.places.context, "sandbox.json"), JSON.stringify(spec));
    expect(await ended(courier(sandbox, "checkout"))).toBe(1);
    expect(sandbox.outcome()).toMatchObject({
      reason: "CheckoutFailed",
      message: expect.stringContaining("git fetch"),
    });
    expect(sh(sandbox.places.workspace, "ls -A")).toBe("");
  });

  it("says how it is used, and what is missing", async () => {
    const sandbox = await aSandbox();
    const unknown = courier(sandbox, "publish");
    const words = said(unknown);
    expect(await ended(unknown)).toBe(2);
    await expect.poll(() => words.text).toContain("usage: courier checkout | courier run");
    writeFileSync(path.join(sandbox.places.context, "sandbox.json"), "{}");
    const broken = courier(sandbox, "run");
    const why = said(broken);
    expect(await ended(broken)).toBe(1);
    await expect.poll(() => why.text).toContain("sandbox.json is not what this courier understands");
  });
});
