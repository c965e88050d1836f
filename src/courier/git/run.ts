import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { BellhopError } from "../../shared/errors.ts";
import { plain } from "../outcome.ts";
import { defined } from "../../shared/defined.ts";

/** The repository at the broker, as the remote of a git process. */
export interface Remote {
  /** `<broker>/git/<repository id>`. */
  url: string;
  /** Sent as a Bearer header. Git gets it in its environment, never as an argument. */
  capability: string;
  /** PEM file of the broker's certificate authority. */
  caFile: string;
}

/** The repository and other inputs of a git process. */
export interface GitOptions {
  /** The repository. It is always given, so that git never searches for one. */
  gitDir: string;
  workTree?: string;
  indexFile?: string;
  remote?: Remote;
  input?: Buffer | string;
  /** Ends the process; the call then rejects. */
  signal?: AbortSignal;
}

/** A running git process with its streams. */
export type GitProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** Git ended with an error. `stderr` has the beginning and the end of its error output, as git printed it. */
export class GitError extends BellhopError {
  readonly stderr: string;

  constructor(message: string, stderr: string, options: { cause?: unknown; retryable: boolean }) {
    super("GitFailed", message, options);
    this.name = "GitError";
    this.stderr = stderr;
  }
}

/**
 * Runs git and returns its standard output. Throws `GitError` with the end of its error output (retryable after a network failure), or
 * `GitUnauthorized` if the capability has expired.
 */
export async function git(args: readonly string[], options: GitOptions): Promise<Buffer> {
  const child = startGit(args, options);
  const stdout: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  // If git ends early, its error output has the reason; the broken pipe adds nothing.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  await ended(child, args);
  return Buffer.concat(stdout);
}

/** Starts git with an environment of our own: it reads no configuration of the image, of a user or of the agent. */
export function startGit(args: readonly string[], options: GitOptions): GitProcess {
  return spawn("git", args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: environmentFor(options),
    ...defined({ cwd: options.workTree, signal: options.signal }),
  });
}

/** Resolves when git has exited with 0. Throws `GitFailed` or `GitUnauthorized` otherwise. */
export function ended(child: GitProcess, args: readonly string[]): Promise<void> {
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr = withinBound(stderr + chunk.toString("utf8"))));
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => reject(failed(args, cause.message, cause)));
    child.on("close", (code, signal) =>
      code === 0 ? resolve() : reject(failed(args, stderr || `ended with ${code ?? signal}`)),
    );
  });
}

/** The beginning of a long error output, where servers give the reason, and its end, where git sums up. */
function withinBound(stderr: string): string {
  return stderr.length <= 16_384 ? stderr : `${stderr.slice(0, 12_288)}\n${stderr.slice(-4_000)}`;
}

/** Error output of git after a network failure, which a retry can fix. */
const networkFailure =
  /could not resolve host|failed to connect|connection (?:was )?(?:refused|reset|timed out)|operation too slow|the requested url returned error: (?:429|5\d\d)|rpc failed|early eof|hung up unexpectedly|couldn't connect|empty reply/i;

/** Error output of git if the broker refuses the capability. */
const refusedCapability = /could not read username|authentication failed|the requested url returned error: 401/i;

function failed(args: readonly string[], reason: string, cause?: unknown): BellhopError {
  const message = `git ${args[0] ?? ""}: ${plain(reason.trim()).slice(-600)}`;
  if (refusedCapability.test(reason)) return new BellhopError("GitUnauthorized", message, { cause, retryable: true });
  return new GitError(message, reason, { cause, retryable: networkFailure.test(reason) });
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
  // A transfer that stalls for half a minute fails and is retried.
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
