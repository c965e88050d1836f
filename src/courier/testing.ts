import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { silentLogger } from "../shared/log.ts";
import { type Clock, systemClock } from "../shared/clock.ts";
import { courierOutcome, type CourierOutcome } from "../sandbox/protocol/outcome.ts";
import type { SandboxSpec } from "../sandbox/protocol/sandbox-spec.ts";
import { type Broker, brokerClient } from "./broker.ts";
import { checkout } from "./checkout/index.ts";
import { writeAgentGitConfig } from "./checkout/agent-input.ts";
import type { Places } from "./settings.ts";
import { run } from "./run/index.ts";
import { startBroker, type TestBroker } from "./stand-in/testing.ts";

/** Runs a shell command in a folder, with a fixed identity for git, and returns its output. */
export function sh(folder: string, command: string): string {
  return execFileSync("/bin/sh", ["-ec", command], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "Ana",
      GIT_AUTHOR_EMAIL: "ana@example.com",
      GIT_COMMITTER_NAME: "Ana",
      GIT_COMMITTER_EMAIL: "ana@example.com",
      GIT_AUTHOR_DATE: "2026-01-01T00:00:00Z",
      GIT_COMMITTER_DATE: "2026-01-01T00:00:00Z",
    },
  });
}

/** The user of a process; by default the user who runs the test. */
export interface TestUser {
  uid?: number;
  gid?: number;
}

/** Options of a test's agent. */
export interface AgentOptions {
  user?: TestUser;
  /** Shell scripts by name, which come before the system's programs in the PATH. */
  programs?: Record<string, string>;
}

/** A sandbox without a cluster: a real repository behind a stand-in broker, the volumes as folders, the agent as a real process. */
export interface TestSandbox {
  root: string;
  /** The bare repository behind the broker. */
  origin: string;
  places: Places;
  spec: SandboxSpec;
  testBroker: TestBroker;
  broker: Broker;
  checkout(): Promise<void>;
  /** Starts the agent under the entry script. */
  agent(command: readonly string[], options?: AgentOptions): ChildProcess;
  /** Runs the sidecar to its end and returns the outcome that it wrote. */
  run(options?: { terminate?: AbortSignal }): Promise<CourierOutcome>;
  outcome(): CourierOutcome;
  close(): Promise<void>;
}

/** Options of a test's sandbox. */
export interface SandboxOptions {
  /** A shell script that creates the files of the first commit; without it the repository is empty. */
  base?: string;
  change?: (spec: SandboxSpec) => SandboxSpec;
  /** The clock of the broker client. */
  clock?: Clock;
}

const hosts = new Set<TestSandbox>();

/** Closes every sandbox of a test; for `afterEach`. */
export async function closeSandboxes(): Promise<void> {
  for (const sandbox of hosts) await sandbox.close();
}

/** Creates a sandbox; `closeSandboxes` removes it. */
export async function aSandbox(options: SandboxOptions = {}): Promise<TestSandbox> {
  const root = mkdtempSync(path.join(tmpdir(), "bellhop-courier-"));
  const origin = path.join(root, "origin", "42");
  const head = makeOrigin(root, origin, options.base);
  const testBroker = await startBroker({ projects: path.dirname(origin), root });
  const places = makePlaces(root, testBroker);
  const spec = (options.change ?? ((same) => same))(aSpec({ brokerURL: testBroker.url, head }));
  writeFileSync(path.join(places.context, "sandbox.json"), JSON.stringify(spec));
  const broker = brokerClient({
    clock: options.clock ?? systemClock,
    baseURL: spec.brokerURL,
    repositoryId: spec.repository.id,
    caFile: path.join(places.context, "ca.crt"),
    tokenFile: places.tokenFile,
    onSession: ({ agentCapability }) =>
      writeAgentGitConfig(places, {
        brokerURL: spec.brokerURL,
        capability: agentCapability,
        author: spec.commit.author,
      }),
  });
  const deps = { clock: systemClock, log: silentLogger, broker };
  const agents: ChildProcess[] = [];
  const sandbox: TestSandbox = {
    root,
    origin,
    places,
    spec,
    testBroker,
    broker,
    checkout: () => checkout(places, spec, { ...deps, answers: () => Promise.resolve(false) }),
    agent(command, options = {}) {
      const script = path.join(places.in, "entry.sh");
      const child = startAgent({ root, places, ...options }, [script, ...command]);
      agents.push(child);
      return child;
    },
    async run({ terminate } = {}) {
      // In a pod, the kubelet sends SIGTERM to the courier after the agent's container has exited. Here the courier does not wait for that.
      const linger = AbortSignal.any([terminate ?? new AbortController().signal]);
      await run(places, spec, { ...deps, clock: impatient, terminate: linger });
      return sandbox.outcome();
    },
    outcome: () => courierOutcome.parse(JSON.parse(readFileSync(places.terminationLog, "utf8"))),
    async close() {
      hosts.delete(sandbox);
      for (const name of ["stop", "release"]) writeFileSync(path.join(places.in, name), "");
      await Promise.all(agents.map(ended));
      await broker.close();
      await testBroker.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
  hosts.add(sandbox);
  return sandbox;
}

/** The system clock, but without the 30 s that a finished sidecar waits for SIGTERM. */
const impatient = {
  ...systemClock,
  after: (delayMs: number, callback: () => void) => systemClock.after(delayMs === 30_000 ? 0 : delayMs, callback),
};

/** Creates a folder of shell scripts, by name, to put first in a PATH. */
export function stubs(root: string, programs: Record<string, string>): string {
  const folder = path.join(root, "bin");
  mkdirSync(folder);
  for (const [name, script] of Object.entries(programs))
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return folder;
}

/** A `grep` that reports a process which cannot be ended, because no process has that id. */
export const unkillable = { grep: "echo /proc/99999999/environ" };

/** Resolves when a process has ended. */
export async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((resolve) => child.once("exit", (code) => resolve(code)));
}

function makeOrigin(root: string, origin: string, base: string | undefined): string | undefined {
  mkdirSync(origin, { recursive: true });
  sh(
    origin,
    "git init -q --bare -b main . && git config http.receivepack true && git config uploadpack.allowAnySHA1InWant true",
  );
  if (base === undefined) return undefined;
  const work = path.join(root, "base");
  mkdirSync(work);
  sh(work, `git init -q -b main . && ${base}`);
  sh(work, `git add -A && git commit -q --allow-empty -m base && git push -q ${origin} main`);
  return sh(work, "git rev-parse HEAD").trim();
}

function makePlaces(root: string, broker: TestBroker): Places {
  const at = (name: string): string => {
    const folder = path.join(root, name);
    mkdirSync(folder);
    return folder;
  };
  const courier = at("courier");
  const context = at("context");
  writeFileSync(path.join(context, "prompt.md"), "Fix the login.\n");
  writeFileSync(path.join(context, "context.md"), "An issue.\n");
  writeFileSync(path.join(context, "ca.crt"), broker.ca);
  const tokenFile = path.join(root, "token");
  writeFileSync(tokenFile, broker.token);
  at("tmp");
  at("home");
  return {
    in: at("in"),
    out: at("out"),
    workspace: at("workspace"),
    courier,
    context,
    tokenFile,
    repository: path.join(courier, "repository.git"),
    terminationLog: path.join(root, "termination-log"),
    isolation: "process",
    hostIP: undefined,
  };
}

function aSpec({ brokerURL, head }: { brokerURL: string; head: string | undefined }): SandboxSpec {
  return {
    version: 1,
    task: { namespace: "team", name: "a-task", uid: "uid-1" },
    attempt: 1,
    brokerURL,
    repository: { id: "42", host: "github.example", owner: "acme", name: "shop" },
    checkout: { branch: "bellhop/42-fix-login", ...(head === undefined ? {} : { headSHA: head, baseRef: "main" }) },
    publish: { ref: "refs/heads/bellhop/42-fix-login" },
    commit: {
      author: { name: "bellhop[bot]", email: "bellhop@example.com" },
      subject: "Fix the login",
      trailers: ["Co-authored-by: Ana <ana@example.com>", "skip-checks: true"],
      date: "2026-02-03T04:05:06Z",
    },
    output: { protectedPaths: [".github/workflows/**", "**/.gitmodules"], maxFiles: 200, maxPatchKiB: 1024 },
    limits: { wallClockMs: 60_000, stallMs: 60_000, deadlineMs: Date.now() + 600_000 },
    egress: { probes: [], notProbed: ["cluster DNS"], acceptOwnNode: false },
    agent: { type: "custom", command: ["true"] },
  };
}

function startAgent(
  { root, places, user, programs }: { root: string; places: Places } & AgentOptions,
  args: readonly string[],
): ChildProcess {
  return spawn("/bin/sh", args, {
    stdio: "ignore",
    ...user,
    env: {
      PATH: [...(programs === undefined ? [] : [stubs(root, programs)]), process.env["PATH"]].join(":"),
      HOME: path.join(root, "home"),
      TMPDIR: path.join(root, "tmp"),
      BELLHOP_IN: places.in,
      BELLHOP_OUT: places.out,
      BELLHOP_WORKSPACE: places.workspace,
      BELLHOP_ISOLATION: places.isolation,
    },
  });
}
