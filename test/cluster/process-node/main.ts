// A small kubelet: runs pods that ask for the scheduler `bellhop-process` as process groups of this machine, isolated from nothing.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { connect } from "../../../src/kube/config.ts";
import { createLogger } from "../../../src/shared/log.ts";
import { guardMark } from "../watchdog.ts";
import { markVariable } from "./environment.ts";
import { nodeMark, ownMark, startNode } from "./node.ts";
import { sweep } from "./sweep.ts";

const { values: flags } = parseArgs({
  options: {
    kubeconfig: { type: "string" },
    /** Folder for volumes, logs and claims. The file `ready` appears in it when the node watches pods. */
    folder: { type: "string" },
    "node-name": { type: "string" },
    /** Only the pods of this namespace. */
    namespace: { type: "string" },
    /** Replaces `/app` in commands. */
    "app-root": { type: "string" },
    /** Whether `<app-root>/src/x.ts` replaces `/app/dist/x.js`. */
    "app-sources": { type: "boolean", default: false },
    "token-max-age-seconds": { type: "string", default: "86400" },
  },
});
const required = (name: "kubeconfig" | "folder" | "node-name" | "app-root"): string => {
  const value = flags[name];
  if (value === undefined) throw new Error(`the process node needs --${name}`);
  return value;
};
const folder = required("folder");
const log = createLogger("process-node");

// Exits at once, without another turn of the event loop: otherwise the node would report the ends of its pods, which a stopping node must
// not do.
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    sweep(nodeMark(folder));
    process.exit(0);
  });
}

// Keeps the process alive. The timers of the system clock do not, and while the API server is down and no pod runs, nothing else does.
setInterval(() => undefined, 60_000);

guardMark(`${markVariable}=${ownMark(folder)}`);
mkdirSync(folder, { recursive: true, mode: 0o700 });
rmSync(join(folder, "ready"), { force: true });
const left = sweep(nodeMark(folder));
if (left > 0) log.warn({ processes: left }, "ended processes that an earlier node left");
rmSync(join(folder, "pods"), { recursive: true, force: true });

const { client } = await connect({ kubeconfig: required("kubeconfig") });
await startNode(
  {
    client,
    log,
    folder,
    nodeName: required("node-name"),
    namespace: flags.namespace,
    app: { root: required("app-root"), fromSources: flags["app-sources"] },
    tokenMaxAgeMs: Number(flags["token-max-age-seconds"]) * 1000,
  },
  new AbortController().signal,
);
writeFileSync(join(folder, "ready"), String(process.pid));
log.info({ node: flags["node-name"], namespace: flags.namespace }, "ready");
