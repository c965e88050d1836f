import { existsSync } from "node:fs";
import { canInstall, missingPackages } from "./prerequisites.ts";
import { tail, tryRun } from "./run.ts";
import { onPath } from "./tools.ts";

/** Whether a node can run on this machine; if not, the reason in one line. */
export type NodeSupport = { ok: true } | { ok: false; reason: string };

/** Checks, without changing anything, whether a node can run here: Linux, root, namespaces, cgroups, packages. */
export async function nodeSupport(): Promise<NodeSupport> {
  const reason = staticReason() ?? (await namespacesReason());
  return reason === undefined ? { ok: true } : { ok: false, reason };
}

function staticReason(): string | undefined {
  if (process.platform !== "linux") return `a node needs Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "a node needs root, for namespaces and mounts";
  if (!existsSync("/sys/fs/cgroup")) return "a node needs cgroups, and /sys/fs/cgroup is not there";
  const missing = [...missingPackages("node"), ...missingPackages("images")];
  if (missing.length > 0 && !canInstall()) return `a node needs these Debian packages: ${missing.join(" ")}`;
  return undefined;
}

/** Creates namespaces and a mount in them as a test, because an unprivileged container refuses one or the other. */
async function namespacesReason(): Promise<string | undefined> {
  if (onPath("unshare") === undefined) return undefined; // util-linux is missing; it is installed first.
  const probe = "mount -t tmpfs tmpfs /run";
  const result = await tryRun(["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", probe], {
    timeoutMs: 10_000,
  });
  if (result.code === 0) return undefined;
  return `a node needs namespaces and mounts, which are refused here: ${tail(result.stderr, 1)}`;
}
