import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const script = join(import.meta.dirname, "../cluster/daemons/build.sh");

let root: string;
const builds: Build[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "bellhop-build-"));
});
afterEach(async () => {
  writeFileSync(at("go-on"), "");
  await Promise.all(builds.splice(0).map(({ ended }) => ended));
  rmSync(root, { recursive: true });
});

const at = (name: string): string => join(root, name);

/** A fake Go that lists three packages, compiles two, and waits until the test lets it continue. */
const go = `#!/bin/bash
echo "$1" >>"$ROOT/calls"
if [ "$1" = list ]; then echo "go: downloading k8s.io/x" >&2; printf 'a\\nb\\nc\\n'; exit; fi
while [ "$1" != -o ]; do shift; done
printf 'a\\nb\\n' >&2
while ! [ -e "$ROOT/go-on" ]; do sleep 0.05; done
if [ -e "$ROOT/broken" ]; then echo "c: does not compile" >&2; exit 1; fi
printf '#!/bin/sh\\n' >"$2"; chmod +x "$2"
`;

interface Build {
  child: ChildProcess;
  /** The last line of standard output. */
  folder(): string;
  said(): string;
  /** Its exit code after its end. */
  ended: Promise<unknown>;
}

function start(...args: string[]): Build {
  mkdirSync(at("bin"), { recursive: true });
  writeFileSync(at("bin/go"), go, { mode: 0o755 });
  const env = { PATH: `${at("bin")}:${process.env["PATH"]}`, XDG_CACHE_HOME: at("cache"), ROOT: root };
  const child = spawn("bash", [script, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [output, said] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, "close").then(([code]: unknown[]) => code);
  const build = { child, folder: () => output.trim(), said: () => said, ended };
  builds.push(build);
  return build;
}

const left = (): string[] => readdirSync(at("cache/bellhop")).filter((name) => !name.endsWith(".lock"));

describe("the build of the daemons", () => {
  it("reports how many packages are compiled, and stores every daemon in the cache", async () => {
    const build = start();
    await expect.poll(build.said).toContain("progress: 2 of at most 3 packages compiled; about 11 min on two cores");
    expect(existsSync(build.folder())).toBe(false);
    writeFileSync(at("go-on"), "");
    expect(await build.ended).toBe(0);
    expect(left()).toEqual([basename(build.folder())]);
    expect(readdirSync(build.folder())).toEqual([
      "etcd",
      "hyperkube",
      "kube-apiserver",
      "kube-controller-manager",
      "kube-proxy",
      "kube-scheduler",
      "kubelet",
    ]);
    const again = start("--cached");
    expect(await again.ended).toBe(0);
    expect(again.folder()).toBe(build.folder());
  });

  it("runs once: a second one waits for the first, and reports its progress", async () => {
    const first = start();
    await expect.poll(first.said).toContain("2 of at most 3");
    const second = start();
    await expect.poll(second.said).toContain("progress: another process builds them, 2 of at most 3 packages compiled");
    writeFileSync(at("go-on"), "");
    expect([await first.ended, await second.ended]).toEqual([0, 0]);
    expect(second.folder()).toBe(first.folder());
  });

  it("names the package that did not compile, and leaves nothing behind", async () => {
    writeFileSync(at("broken"), "");
    writeFileSync(at("go-on"), "");
    const build = start();
    expect(await build.ended).toBe(1);
    expect(build.said()).toContain("c: does not compile");
    expect(left()).toEqual([]);
  });

  it("ends its child processes, and leaves nothing behind", async () => {
    const build = start();
    await expect.poll(build.said).toContain("2 of at most 3");
    build.child.kill("SIGTERM");
    expect(await build.ended).toBe(143);
    expect(left()).toEqual([]);
  });

  it("does not run with --cached", async () => {
    const build = start("--cached");
    expect(await build.ended).toBe(3);
    expect([build.folder(), existsSync(at("calls"))]).toEqual(["", false]);
  });
});
