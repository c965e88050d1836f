import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import { guardGroup, signalGroup } from "../watchdog.ts";
import { markVariable } from "./environment.ts";
import { terminationMessage } from "./termination-message.ts";
import { seconds } from "./status.ts";
import { sweep } from "./sweep.ts";
import type { Terminated } from "./types.ts";
import { defined } from "../../../src/shared/defined.ts";

/** How to start a container: command, arguments, environment and paths on this machine. */
export interface Launch {
  command: string;
  args: string[];
  env: Record<string, string>;
  cwd: string;
  /** The mark in the environment of all its processes. */
  mark: string;
  log: string;
  terminationLog: string;
  fallbackToLog: boolean;
}

/** The processes of a container. They have their own process group, and end when the node ends. */
export interface ContainerProcess {
  readonly startedAt: string;
  readonly ended: Promise<Terminated>;
  /** Sends SIGTERM to the first process, as a kubelet does, or SIGKILL to all processes. */
  signal(signal: "SIGTERM" | "SIGKILL"): void;
}

/**
 * Starts a container. If the command cannot be run, the container ends at once with exit code 128 and reason `StartError`, as with a
 * container runtime.
 */
export function launch(options: Launch): ContainerProcess {
  const startedAt = seconds(new Date());
  const log = openSync(options.log, "a", 0o600);
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: { ...options.env, [markVariable]: options.mark },
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  const { pid } = child;
  const release = pid === undefined ? undefined : guardGroup(pid);
  const ended = new Promise<Terminated>((resolve) => {
    child.once("error", (error) => {
      if (pid === undefined) resolve(startError(`could not run ${options.command}: ${error.message}`, startedAt));
    });
    child.once("exit", (code, signal) => {
      if (pid !== undefined) killAll(pid, options.mark);
      release?.();
      const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      resolve(terminated(options, exitCode, startedAt));
    });
  });
  return {
    startedAt,
    ended,
    signal(signal) {
      if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      if (signal === "SIGKILL") killAll(pid, options.mark);
      else child.kill(signal);
    },
  };
}

/** The final state of a container that never started. */
export function startError(message: string, startedAt: string = seconds(new Date())): Terminated {
  return { exitCode: 128, reason: "StartError", message, startedAt, finishedAt: seconds(new Date()) };
}

function killAll(pid: number, mark: string): void {
  signalGroup(pid, "SIGKILL");
  // Processes that left the group, and their new child processes.
  for (let round = 0; round < 5 && sweep(mark) > 0; round++);
}

function terminated(options: Launch, exitCode: number, startedAt: string): Terminated {
  const fallbackToLog = options.fallbackToLog && exitCode !== 0;
  const message = terminationMessage({ terminationLog: options.terminationLog, log: options.log, fallbackToLog });
  return {
    exitCode,
    reason: exitCode === 0 ? "Completed" : "Error",
    ...defined({ message }),
    startedAt,
    finishedAt: seconds(new Date()),
  };
}
