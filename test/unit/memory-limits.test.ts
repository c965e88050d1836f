import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchLimits } from "../../src/broker/fetch.ts";
import { gatewayConfig } from "../../src/gateway/config.ts";
import { containerOf, memoryMiB, processes, type ProcessName } from "../integration/process-containers.ts";

const MiB = 1024 * 1024;
const checkout = join(import.meta.dirname, "..", "..");
const launcher = join(checkout, "bin", "bellhop");

/** Memory outside of V8's heap for Node, its code and the libraries. Measured with `make bench BENCH=memory` in an idle process. */
const nodeMiB = 80;

/** Further memory outside of V8's heap: request bodies, held twice while their parts are joined. */
const outsideMiB: Record<ProcessName, number> = {
  gateway: (2 * gatewayConfig.parse({ BELLHOP_NAMESPACE: "x" }).BELLHOP_MAX_BYTES) / MiB,
  operator: 0,
  broker: (2 * fetchLimits.bytes) / MiB,
  // For git's processes, which run in the same container.
  courier: 512,
};

/** A stand-in for `node` that prints its arguments, one a line. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bellhop-launcher-"));
  writeFileSync(join(folder, "node"), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true }));

function launched(...args: string[]): string[] {
  const env = { PATH: [folder, process.env["PATH"]].join(delimiter) };
  return execFileSync(launcher, args, { encoding: "utf8", env }).trimEnd().split("\n");
}

function flag(process: string, name: string): number {
  const found = launched(process).find((word) => word.startsWith(`--${name}=`));
  return Number(found?.split("=")[1]);
}

describe("the launcher", () => {
  it.each(processes)("starts the %s with its arguments, after Node's flags", (name) => {
    const words = launched(name, "one", "two words");
    expect(words.slice(-3)).toEqual([join(checkout, "dist", name, "main.js"), "one", "two words"]);
    expect(words.slice(0, -3).every((word) => word.startsWith("--"))).toBe(true);
  });

  it("starts the clean-up before an uninstall, with a share of its memory limit for the heap", () => {
    const words = launched("uninstall");
    expect(words.at(-1)).toBe(join(checkout, "dist", "operator", "uninstall", "main.js"));
    expect(flag("uninstall", "max-old-space-size-percentage")).toBeLessThan(80);
  });

  it.each([[[]], [["gatewy"]], [["--version"]]])("prints its usage if it is started with %j", (args) => {
    const { status, stderr } = spawnSync(launcher, args, { encoding: "utf8" });
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: /usage: bellhop gateway\|operator\|broker\|courier/,
    });
  });

  it("passes only flags that this Node supports", () => {
    for (const name of processes) {
      const flags = launched(name).slice(0, -1);
      expect(spawnSync(process.execPath, [...flags, "-e", ""], { encoding: "utf8" })).toMatchObject({ status: 0 });
    }
  });
});

describe.each(processes)("the memory of the %s", (name) => {
  it("depends on the launcher, which is the container's command", () => {
    expect(containerOf(name).command?.slice(0, 2)).toEqual(["/app/bin/bellhop", name]);
  });

  it("stays within its limit with a full heap and the maximum memory outside the heap", () => {
    const limit = memoryMiB(containerOf(name), "limits");
    const old = (limit * flag(name, "max-old-space-size-percentage")) / 100;
    const young = 3 * flag(name, "max-semi-space-size");
    expect(old + young + outsideMiB[name] + nodeMiB).toBeLessThanOrEqual(limit);
    // With less memory, the process ends instead of collecting garbage.
    expect(old).toBeGreaterThanOrEqual(96);
  });

  it("has a request that is not above its limit", () => {
    const container = containerOf(name);
    expect(memoryMiB(container, "requests")).toBeLessThan(memoryMiB(container, "limits"));
  });
});
