import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aSandbox, closeSandboxes, ended, type TestSandbox } from "../../../src/courier/testing.ts";
import { eventually } from "../../cluster/eventually.ts";
import { containerCommand } from "./container.ts";
import { report } from "./resident.ts";

const files = Number(process.env["FILES"] ?? 5_000);
const changed = 1_000;

const write = (count: number, text: string): string =>
  `i=0; while [ $i -lt ${count} ]; do echo "${text} $i" > file-$i; i=$((i + 1)); done`;
const agent = `while [ ! -e "$BELLHOP_OUT/go" ]; do sleep 1; done; ${write(changed, "changed")}`;

/** Measures a courier that waits for its agent, and one that has imported a change of a thousand files. */
export async function measureCourier(log: (line: string) => void): Promise<void> {
  const sandbox = await aSandbox({
    base: write(files, "base"),
    change: (spec) => ({ ...spec, output: { ...spec.output, maxFiles: files, maxPatchKiB: 10_240 } }),
  });
  const { command, args, remove } = containerCommand("courier", "run");
  try {
    await sandbox.checkout();
    sandbox.agent(["/bin/sh", "-c", agent]);
    const child = spawn(command, args, { stdio: "ignore", env: environment(sandbox.places) });
    try {
      const pid = child.pid ?? 0;
      await report(log, "courier", "while the agent works", pid);
      writeFileSync(join(sandbox.places.out, "go"), "");
      const released = (): boolean => existsSync(join(sandbox.places.in, "release"));
      await eventually(released, { describe: "the courier to release its agent", timeoutMs: 60_000 });
      await report(log, "courier", `after ${changed} changed of ${files} files`, pid);
    } finally {
      child.kill("SIGTERM");
      await ended(child);
    }
  } finally {
    await closeSandboxes();
    remove();
  }
}

function environment(places: TestSandbox["places"]): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    NODE_ENV: "production",
    BELLHOP_IN: places.in,
    BELLHOP_OUT: places.out,
    BELLHOP_WORKSPACE: places.workspace,
    BELLHOP_COURIER: places.courier,
    BELLHOP_CONTEXT: places.context,
    BELLHOP_TOKEN_FILE: places.tokenFile,
    BELLHOP_TERMINATION_LOG: places.terminationLog,
    BELLHOP_ISOLATION: places.isolation,
  };
}
