import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Daemon, startDaemon } from "./daemon.ts";
import { nodeMark } from "./process-node/node.ts";
import { sweep } from "./process-node/sweep.ts";
import { guardFolder } from "./watchdog.ts";

const checkout = join(import.meta.dirname, "..", "..");

/** Options of a process node. */
export interface ProcessNodeOptions {
  /** Kubeconfig of an administrator. */
  kubeconfigPath: string;
  /** Runs only pods of this namespace. Set it whenever several nodes use one control plane; otherwise they take each other's pods. */
  namespace?: string;
  /** To restart a node after `kill`, use the name and the folder of the killed node. */
  nodeName?: string;
  /** Folder for volumes and logs; by default a temporary folder that `stop` removes. */
  folder?: string;
  /** The folder that replaces `/app` in commands: this checkout, in which `src/x.ts` replaces `/app/dist/x.js`. */
  appRoot?: string;
  /**
   * Tokens older than this are renewed even if they are still valid for long, because the API server issues no token for less than 10
   * minutes.
   */
  tokenMaxAgeSeconds?: number;
}

/** A running process node. */
export interface ProcessNode {
  readonly pid: number;
  readonly nodeName: string;
  readonly folder: string;
  /** The log of a container so far; "" if it has none. */
  logOf(pod: { namespace: string; name: string; uid: string }, container: string): Promise<string>;
  /** The end of the node's own log. */
  tail(): string;
  /** Stops the node and kills every process of its pods; does not change the pods' status. */
  stop(): Promise<void>;
  /** Simulates a crash with SIGKILL. The processes of its pods end too; the folder stays. */
  kill(): Promise<void>;
}

/** Starts a process node as a separate process, and resolves when it watches pods. If it fails, rejects with the end of its log. */
export async function startProcessNode(options: ProcessNodeOptions): Promise<ProcessNode> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "bellhop-process-node-")));
  if (options.folder === undefined) guardFolder(folder);
  const nodeName = options.nodeName ?? `process-node-${randomBytes(3).toString("hex")}`;
  await rm(join(folder, "ready"), { force: true });
  const daemon = await startDaemon({
    command: process.execPath,
    args: [join(import.meta.dirname, "process-node", "main.ts"), ...flags(options, folder, nodeName)],
    logFile: join(folder, "node.log"),
  });
  await untilReady(daemon, join(folder, "ready"));
  return {
    pid: daemon.pid,
    nodeName,
    folder,
    tail: () => daemon.tail(),
    logOf: ({ namespace, name, uid }, container) =>
      readLog(join(folder, "logs", `${namespace}_${name}_${uid}`), container),
    async stop() {
      await daemon.stop(5000);
      sweep(nodeMark(folder));
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
    async kill() {
      if (daemon.ending === undefined) process.kill(daemon.pid, "SIGKILL");
      await daemon.ended;
      sweep(nodeMark(folder));
    },
  };
}

function flags(options: ProcessNodeOptions, folder: string, nodeName: string): string[] {
  return [
    `--kubeconfig=${options.kubeconfigPath}`,
    `--folder=${folder}`,
    `--node-name=${nodeName}`,
    `--app-root=${options.appRoot ?? checkout}`,
    "--app-sources",
    ...(options.namespace === undefined ? [] : [`--namespace=${options.namespace}`]),
    ...(options.tokenMaxAgeSeconds === undefined ? [] : [`--token-max-age-seconds=${options.tokenMaxAgeSeconds}`]),
  ];
}

async function untilReady(daemon: Daemon, file: string): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!existsSync(file)) {
    if (daemon.ending !== undefined || performance.now() > deadlineMs) {
      await daemon.stop(0);
      throw new Error(`the process node did not get ready (${daemon.ending ?? "60 s passed"}):\n${daemon.tail()}`);
    }
    await Promise.race([daemon.ended, new Promise((resolve) => setTimeout(resolve, 30))]);
  }
}

function readLog(folder: string, container: string): Promise<string> {
  return readFile(join(folder, `${container}.log`), "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  });
}
