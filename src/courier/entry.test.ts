import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { skipWhereLacking } from "../../test/needs.ts";
import { ended, stubs, unkillable } from "./testing.ts";

const script = path.join(import.meta.dirname, "entry.sh");

/** A container is a PID namespace with its own /proc. Only there may the script signal every process. */
const namespace = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"];
const noNamespaces = lacking([...namespace, "true"], "no namespaces can be made here (`unshare --user --pid` fails)");
const noBusybox = lacking(["busybox", "true"], "busybox is not installed");

function lacking([file = "", ...args]: string[], reason: string): string | undefined {
  return spawnSync(file, args).status === 0 ? undefined : reason;
}

interface Container {
  root: string;
  process: ChildProcess;
  read(name: string): string;
}

const containers: Container[] = [];

function start(prefix: readonly string[], command: string, environment: Record<string, string> = {}): Container {
  const root = mkdtempSync(path.join(tmpdir(), "bellhop-entry-"));
  for (const name of ["in", "out", "workspace", "tmp"]) mkdirSync(path.join(root, name));
  writeFileSync(path.join(root, "in/prompt.md"), "the prompt\n");
  const [file, ...args] = [...prefix, script, "/bin/sh", "-c", command];
  const child = spawn(file, args, {
    stdio: "ignore",
    env: {
      PATH: process.env["PATH"],
      TMPDIR: path.join(root, "tmp"),
      BELLHOP_IN: path.join(root, "in"),
      BELLHOP_OUT: path.join(root, "out"),
      BELLHOP_WORKSPACE: path.join(root, "workspace"),
      ...environment,
    },
  });
  const container = { root, process: child, read: (name: string) => readFileSync(path.join(root, name), "utf8") };
  containers.push(container);
  return container;
}

async function stopped(container: Container): Promise<string> {
  const file = path.join(container.root, "out/stopped");
  const word = (): string => (existsSync(file) ? container.read("out/stopped") : "");
  await expect.poll(word).toMatch(/^(?!opening).+\n/);
  return word().trim();
}

afterEach(async () => {
  for (const { root, process: child } of containers.splice(0)) {
    for (const name of ["stop", "release"]) writeFileSync(path.join(root, "in", name), "");
    await ended(child);
    rmSync(root, { recursive: true, force: true });
  }
});

const process_ = { BELLHOP_ISOLATION: "process" };
const shells = [
  { name: "sh on the process backend", prefix: ["/bin/sh"], environment: process_, lacks: undefined },
  { name: "busybox on the process backend", prefix: ["busybox", "sh"], environment: process_, lacks: noBusybox },
  {
    name: "sh as process 1",
    prefix: [...namespace, "/bin/sh"],
    environment: { BELLHOP_ISOLATION: "pod" },
    lacks: noNamespaces,
  },
  {
    name: "busybox as process 1",
    prefix: [...namespace, "busybox", "sh"],
    environment: {},
    lacks: noNamespaces ?? noBusybox,
  },
];

describe.each(shells)("the entry script with $name", { timeout: 60_000 }, ({ prefix, environment, lacks }) => {
  beforeEach((context) => skipWhereLacking(context, lacks));

  it("passes the prompt to the agent, keeps output and exit code, waits for the release and exits with the agent's code", async () => {
    const container = start(prefix, "cat; echo oops >&2; pwd; exit 7", environment);
    expect(await stopped(container)).toBe("ended");
    expect(container.read("out/exit")).toBe("7\n");
    expect(container.read("out/output.log")).toBe(`the prompt\noops\n${container.root}/workspace\n`);
    expect(container.process.exitCode).toBeNull();
    writeFileSync(path.join(container.root, "in/release"), "");
    expect(await ended(container.process)).toBe(7);
  });

  it("ends every process that the agent left, also in other sessions and if it ignores signals", async () => {
    const container = start(
      prefix,
      `for i in 1 2 3; do (trap '' TERM HUP INT; while :; do echo $i >>late$i; sleep 0.05; done) & done
       setsid sh -c 'while :; do echo x >>late4; sleep 0.05; done' &
       while ! [ -s late4 ] || ! [ -s late3 ]; do sleep 0.05; done`,
      environment,
    );
    expect(await stopped(container)).toBe("ended");
    const sizes = (): number[] => [1, 2, 3, 4].map((i) => container.read(`workspace/late${i}`).length);
    const before = sizes();
    expect(carrying(container.root)).toEqual([]);
    expect(sizes()).toEqual(before);
  });

  it("stores the agent's output immediately, up to 10 MiB", async () => {
    const container = start(
      prefix,
      `echo a line; while ! [ -e go ]; do sleep 0.05; done; head -c 30000000 /dev/zero; touch through`,
      environment,
    );
    await expect.poll(() => container.read("out/output.log")).toBe("a line\n");
    writeFileSync(path.join(container.root, "workspace/go"), "");
    await stopped(container);
    expect(container.read("out/output.log").length).toBe(10 * 1024 * 1024);
    expect(existsSync(path.join(container.root, "workspace/through"))).toBe(true);
  });

  it("follows no link that the agent put in place of the files that report its end", async () => {
    const container = start(
      prefix,
      `echo theirs >file; for name in exit stopped; do ln -s "$PWD/file" "$BELLHOP_OUT/$name"; done`,
      environment,
    );
    await stopped(container);
    await expect.poll(() => container.read("out/stopped")).toBe("ended\n");
    expect(container.read("workspace/file")).toBe("theirs\n");
  });

  it("ends the agent when the courier asks it to stop", async () => {
    const container = start(prefix, "trap '' TERM; sleep 300 & wait; sleep 300", environment);
    writeFileSync(path.join(container.root, "in/stop"), "");
    expect(await stopped(container)).toBe("stopped");
    expect(container.read("out/exit")).toBe("143\n");
  });

  it("makes files that the agent protected readable for the courier's group", async () => {
    const container = start(
      prefix,
      "mkdir -p closed/inner; echo x >closed/inner/file; chmod 0 closed/inner/file closed/inner",
      environment,
    );
    await stopped(container);
    // Compares the modes, because root can read every file.
    const modeOf = (name: string): number => statSync(path.join(container.root, "workspace", name)).mode;
    expect(modeOf("closed/inner") & 0o050).toBe(0o050);
    expect(modeOf("closed/inner/file") & 0o040).toBe(0o040);
  });
});

describe("the entry script", { timeout: 60_000 }, () => {
  it("ends the agent on SIGTERM and reports that the pod ends", async () => {
    const container = start(["/bin/sh"], "touch there; sleep 300", process_);
    await expect.poll(() => existsSync(path.join(container.root, "workspace/there"))).toBe(true);
    container.process.kill("SIGTERM");
    expect(await stopped(container)).toBe("terminated");
  });

  it("reports the exit code first, and waits at most 8 s for processes that cannot be ended, even if sleep supports only whole seconds", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bellhop-stubs-"));
    // The clock of this stub advances only when the script sleeps.
    const slept = path.join(folder, "slept");
    const sleep = `case $1 in *.*) exit 1 ;; esac
      if [ -e "$BELLHOP_OUT/exit" ]; then echo waiting; else echo working; fi >>${slept}`;
    const date = `echo $((1000 + $(wc -l <${slept})))`;
    writeFileSync(slept, "");
    const PATH = `${stubs(folder, { ...unkillable, sleep, date })}:${process.env["PATH"]}`;
    const container = start(["/bin/sh"], "exit 3", { ...process_, PATH });
    writeFileSync(path.join(container.root, "in/release"), "");
    expect(await ended(container.process)).toBe(3);
    expect(container.read("out/exit")).toBe("3\n");
    const pauses = readFileSync(slept, "utf8").match(/waiting/g) ?? [];
    expect(pauses.length).toBeGreaterThan(0);
    expect(pauses.length).toBeLessThanOrEqual(9);
    expect(existsSync(path.join(container.root, "out/stopped"))).toBe(false);
    rmSync(folder, { recursive: true, force: true });
  });

  it("reports 127 for a command that does not exist", async () => {
    const container = start(["/bin/sh"], "exec /no/such/agent", process_);
    await stopped(container);
    expect(container.read("out/exit")).toBe("127\n");
  });

  it("ends no foreign process if it is not process 1, whatever isolation is configured", async () => {
    const bystander = spawn("sleep", ["300"], { stdio: "ignore" });
    try {
      const container = start(["/bin/sh"], "true", { BELLHOP_ISOLATION: "pod" });
      await stopped(container);
      expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    } finally {
      bystander.kill("SIGKILL");
      await ended(bystander);
    }
  });

  it("still reports the end when the agent has filled the volume", async (context) => {
    skipWhereLacking(context, noNamespaces ?? (process.getuid?.() === 0 ? undefined : "only root can mount a volume"));
    const prefix = [
      "unshare",
      "--mount",
      "/bin/sh",
      "-c",
      'mount -t tmpfs -o size=64k none "$BELLHOP_OUT" && exec /bin/sh "$@"',
      "sh",
    ];
    const container = start(
      prefix,
      'cat /dev/zero >"$BELLHOP_OUT/full"; echo done >"$BELLHOP_WORKSPACE/../filled"; exit 5',
      process_,
    );
    await expect.poll(() => existsSync(path.join(container.root, "filled"))).toBe(true);
    const out = `/proc/${container.process.pid}/root${container.root}/out`;
    const word = (): string => (existsSync(`${out}/stopped`) ? readFileSync(`${out}/stopped`, "utf8") : "");
    await expect.poll(word).toBe("ended\n");
    expect(readFileSync(`${out}/exit`, "utf8")).toBe("5\n");
  });
});

/** The processes of an agent, found by its mark. None may be left. */
function carrying(root: string): string[] {
  return readdirSync("/proc").filter(
    (pid) => /^[0-9]+$/.test(pid) && environmentOf(pid).includes(`BELLHOP_RUN=`) && environmentOf(pid).includes(root),
  );
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    // The process has ended meanwhile.
    return "";
  }
}
