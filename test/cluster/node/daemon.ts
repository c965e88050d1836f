import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Namespaces } from "./namespaces.ts";
import type { NodeLayout } from "./options.ts";
import { tailOfFile } from "./run.ts";
import { until } from "./wait.ts";

/** One long-lived process of the node. */
export interface Daemon {
  /** Name of its log file: `<logs>/<name>.log`. */
  name: string;
  argv: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** False if it uses this machine's own files and needs no mounts of the node. */
  mounts?: boolean;
  /** Path of a network namespace to use instead of the node's own. */
  network?: string;
}

/** A daemon that was started. `ready` waits for its probe, and fails with the end of its log. */
export interface StartedDaemon {
  ready(probe: () => Promise<boolean> | boolean, timeoutMs: number): Promise<void>;
}

/** Starts a daemon inside the node's namespaces. It ends with the namespaces, not with this process. */
export function startDaemon(layout: NodeLayout, namespaces: Namespaces, daemon: Daemon): StartedDaemon {
  const logFile = join(layout.logs, `${daemon.name}.log`);
  const log = openSync(logFile, "a");
  const child = spawn("nsenter", [...enter(namespaces, daemon), ...daemon.argv], {
    detached: true,
    env: { ...process.env, ...daemon.env },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.once("error", () => {}); // `ready` reports it, because the process has ended.
  child.unref();
  return {
    async ready(probe, timeoutMs) {
      await until(async () => ended(child) || (await probe()), {
        what: `${daemon.name} ready`,
        timeoutMs,
        detail: () => tailOfFile(logFile),
      });
      if (ended(child)) throw new Error(`${daemon.name} ended while it started:\n${tailOfFile(logFile)}`);
    },
  };
}

function enter(namespaces: Namespaces, daemon: Daemon): string[] {
  const network = daemon.network === undefined ? "--net" : `--net=${daemon.network}`;
  const mounts = daemon.mounts === false ? [] : ["--mount"];
  return [`--target=${namespaces.init}`, network, "--pid", ...mounts, "--"];
}

function ended(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
