import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { withLock } from "./lock.ts";
import { identify, isRunning, kill } from "./processes.ts";
import { readZipEntry } from "./unzip.ts";

const child = (): { pid: number; end: () => void } => {
  const started = spawn("sleep", ["60"], { stdio: "ignore" });
  return { pid: started.pid!, end: () => started.kill("SIGKILL") };
};
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

describe("kill", () => {
  it("ends the given process", async () => {
    const target = identify(child().pid)!;
    await kill(target);
    expect(isRunning(target)).toBe(false);
  });

  it("does not kill a process that has the same id but another start time", async () => {
    const { pid, end } = child();
    const real = identify(pid)!;
    await kill({ pid, startTime: "1" });
    expect(isRunning(real)).toBe(true);
    end();
  });
});

describe("withLock", () => {
  it("takes over a lock whose owner has died, and releases it after the work failed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bellhop-lock-"));
    folders.push(folder);
    const path = join(folder, "lock");
    writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: "1" }));
    await expect(
      withLock(
        path,
        () => {},
        () => Promise.reject(new Error("broken")),
      ),
    ).rejects.toThrow("broken");
    expect(
      await withLock(
        path,
        () => {},
        () => Promise.resolve("mine"),
      ),
    ).toBe("mine");
  });
});

describe("readZipEntry", () => {
  it("names the file if the archive does not contain it", () => {
    const empty = Buffer.concat([Buffer.from("PK\u0005\u0006", "latin1"), Buffer.alloc(18)]);
    expect(() => readZipEntry(empty, "helm/helm")).toThrow("holds no helm/helm");
    expect(() => readZipEntry(Buffer.from("none"), "helm/helm")).toThrow("not a ZIP archive");
  });
});
