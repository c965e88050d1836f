import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { kubeconfigOf } from "../control-plane.ts";
import { startDaemon } from "../daemon.ts";
import type { Namespaces } from "../namespaces.ts";
import type { NodeLayout } from "../options.ts";

/** Starts the process that enforces NetworkPolicies in the node's network; returns when its first rules are in place. */
export async function startEnforcer(layout: NodeLayout, namespaces: Namespaces): Promise<void> {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const readyFile = join(layout.folder, "network-policy-ready");
  const enforcer = startDaemon(layout, namespaces, {
    name: "network-policy",
    argv: [process.execPath, main, kubeconfigOf(layout, "admin"), layout.policyRequests, readyFile],
    mounts: false,
  });
  await enforcer.ready(() => existsSync(readyFile), 20_000);
}
