import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { guardGroup, signalGroup } from "./watchdog.ts";

/** A child process that writes to a log file. It has its own process group and always ends when this process ends. */
export interface Daemon {
  readonly name: string;
  readonly pid: number;
  /** How it ended; undefined while it runs. */
  readonly ending: string | undefined;
  /** Resolves after it has ended, with a sentence that describes the end. */
  readonly ended: Promise<string>;
  /** The last `lines` lines of its log. */
  tail(lines?: number): string;
  /** Sends SIGTERM, and after `graceMs` SIGKILL to the whole process group; resolves when the group has ended. */
  stop(graceMs?: number): Promise<void>;
}

/** The command to start, and its options. */
export interface DaemonOptions {
  command: string;
  args: string[];
  logFile: string;
  env?: NodeJS.ProcessEnv;
}

/** Starts a daemon. Rejects if the command cannot be started. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const name = basename(options.command);
  const log = openSync(options.logFile, "a");
  let child: ChildProcess;
  try {
    child = spawn(options.command, options.args, {
      stdio: ["ignore", log, log],
      detached: true,
      ...(options.env ? { env: options.env } : {}),
    });
  } finally {
    closeSync(log);
  }
  const pid = await spawned(child, options.command);
  const release = guardGroup(pid);
  let ending: string | undefined;
  const ended = new Promise<string>((resolve) =>
    child.once("exit", (code, signal) => {
      // Its child processes end with it.
      signalGroup(pid, "SIGKILL");
      release();
      ending = signal === null ? `${name} exited with code ${code}` : `${name} was ended by ${signal}`;
      resolve(ending);
    }),
  );
  return {
    name,
    pid,
    ended,
    get ending() {
      return ending;
    },
    tail: (lines = 25) => tailOf(options.logFile, lines),
    async stop(graceMs = 3000) {
      if (ending !== undefined) return;
      signalGroup(pid, "SIGTERM");
      const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

function spawned(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("spawn", () => resolve(child.pid ?? 0));
    child.once("error", (error) => reject(new Error(`could not start ${command}`, { cause: error })));
  });
}

function tailOf(path: string, lines: number): string {
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}
