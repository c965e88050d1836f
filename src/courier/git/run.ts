import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { BellhopError } from "../../shared/errors.ts";
import { plain } from "../outcome.ts";
import { defined } from "../../shared/defined.ts";

/** The broker as git reaches it. */
export interface Remote {
  /** `<broker>/git/<repository id>`. */
  url: string;
  /** Sent as a Bearer header; handed over in the environment, never as an argument. */
  capability: string;
  /** PEM file of the broker's certificate authority. */
  caFile: string;
}

/** Where a git process works. */
export interface GitOptions {
  /** The repository; always named, never discovered. */
  gitDir: string;
  workTree?: string;
  indexFile?: string;
  remote?: Remote;
  input?: Buffer | string;
  /** Ends the process; the call then rejects. */
  signal?: AbortSignal;
}

/** A running git, for those who talk with it. */
export type GitProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Runs git and answers its standard output. Throws `GitFailed` with the end of what it said (retryable
 * where the network was at fault), or `GitUnauthorized` when the capability has run out.
 */
export async function git(args: readonly string[], options: GitOptions): Promise<Buffer> {
  const child = startGit(args, options);
  const stdout: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  // A git that ended early has said why; the broken pipe adds nothing.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  await ended(child, args);
  return Buffer.concat(stdout);
}

/** Starts git with our environment and nothing of the image's, the user's or the agent's. */
export function startGit(args: readonly string[], options: GitOptions): GitProcess {
  return spawn("git", args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: environmentFor(options),
    ...defined({ cwd: options.workTree, signal: options.signal }),
  });
}

/** Resolves when git ended well; throws `GitFailed` else. */
export function ended(child: GitProcess, args: readonly string[]): Promise<void> {
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString("utf8")).slice(-4096)));
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => reject(failed(args, cause.message, cause)));
    child.on("close", (code, signal) =>
      code === 0 ? resolve() : reject(failed(args, said || `ended with ${code ?? signal}`)),
    );
  });
}

const networkTrouble =
  /could not resolve host|failed to connect|connection (?:was )?(?:refused|reset|timed out)|operation too slow|the requested url returned error: (?:429|5\d\d)|rpc failed|early eof|hung up unexpectedly|couldn't connect|empty reply/i;

/** The capability ran out: git says so in one of these ways. */
const refusedCapability = /could not read username|authentication failed|the requested url returned error: 401/i;

function failed(args: readonly string[], said: string, cause?: unknown): BellhopError {
  const message = `git ${args[0] ?? ""}: ${plain(said.trim()).slice(-600)}`;
  if (refusedCapability.test(said)) return new BellhopError("GitUnauthorized", message, { cause, retryable: true });
  return new BellhopError("GitFailed", message, { cause, retryable: networkTrouble.test(said) });
}

function environmentFor(options: GitOptions): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    LANG: "C",
    LC_ALL: "C",
    HOME: "/nonexistent",
    GIT_DIR: options.gitDir,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_TERMINAL_PROMPT: "0",
    ...defined({ GIT_WORK_TREE: options.workTree, GIT_INDEX_FILE: options.indexFile }),
    ...(options.remote === undefined ? {} : { GIT_SSL_CAINFO: options.remote.caFile }),
    ...numbered([...ownConfig, ...(options.remote === undefined ? [] : remoteConfig(options.remote))]),
  };
}

const ownConfig: [key: string, value: string][] = [
  ["protocol.allow", "never"],
  ["protocol.https.allow", "always"],
  ["core.hooksPath", "/dev/null"],
  ["core.excludesFile", "/dev/null"],
  ["core.attributesFile", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.bigFileThreshold", "32m"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["credential.helper", ""],
  ["http.followRedirects", "false"],
  ["http.proxy", ""],
  // A broker that stalls is given up after half a minute and tried again.
  ["http.lowSpeedLimit", "1"],
  ["http.lowSpeedTime", "30"],
];

function remoteConfig(remote: Remote): [string, string][] {
  return [[`http.${remote.url}.extraHeader`, `Authorization: Bearer ${remote.capability}`]];
}

function numbered(entries: readonly [string, string][]): NodeJS.ProcessEnv {
  const pairs = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(entries.length), ...Object.fromEntries(pairs) };
}
