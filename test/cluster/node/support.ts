import { cgroupsReason } from "./cgroups.ts";
import { canInstall, missingPackages } from "./prerequisites.ts";
import { tail, tryRun } from "./run.ts";
import { onPath } from "./tools.ts";

/** Whether a node can run on this machine; if not, the reason in one line. */
export type NodeSupport = { ok: true } | { ok: false; reason: string };

/** The facts about a machine that decide whether a node can run on it. */
export interface Machine {
  platform: string;
  /** Of this process; undefined where there are none. */
  userId: number | undefined;
  /** Debian packages that are missing, and whether they can be installed. */
  missing: readonly string[];
  canInstall: boolean;
  has(command: string): boolean;
  /** Why a node can have no cgroup of its own. */
  cgroups(): string | undefined;
  /** Runs a shell script in new network, mount and process namespaces, which end with it; returns the last line of its error, if it failed. */
  inNamespaces(script: string): Promise<string | undefined>;
}

/** Features that the kernel must permit. Each is tried in namespaces of its own, if its commands are there. */
const features: readonly { what: string; commands: readonly string[]; script: string }[] = [
  { what: "namespaces and mounts", commands: [], script: "mount -t tmpfs tmpfs /run" },
  {
    what: "overlay mounts",
    commands: [],
    script:
      "mount -t tmpfs tmpfs /run && cd /run && mkdir low up work all && mount -t overlay -o lowerdir=low,upperdir=up,workdir=work overlay all",
  },
  { what: "links between namespaces", commands: ["ip"], script: "ip link add bh0 type veth peer name bh1" },
  {
    what: "iptables",
    commands: ["iptables"],
    script: "for table in filter nat mangle; do iptables --table $table --numeric --list >/dev/null || exit 1; done",
  },
  { what: "ipset", commands: ["ipset"], script: "ipset create bellhop hash:net" },
];

/** Checks, without leaving anything behind, whether a node can run here: Linux, root, packages, cgroups, and the features of the kernel. */
export async function nodeSupport(machine = thisMachine()): Promise<NodeSupport> {
  const reason = staticReason(machine) ?? (await kernelReason(machine));
  return reason === undefined ? { ok: true } : { ok: false, reason };
}

function staticReason(machine: Machine): string | undefined {
  if (machine.platform !== "linux") return `a node needs Linux, and this is ${machine.platform}`;
  if (machine.userId !== 0) return "a node needs root, for namespaces and mounts";
  if (machine.missing.length > 0 && !machine.canInstall) {
    return `a node needs these Debian packages: ${machine.missing.join(" ")}`;
  }
  const cgroups = machine.cgroups();
  return cgroups && `a node needs cgroups of its own: ${cgroups}`;
}

/** Tries each feature, because an unprivileged container, or a small kernel, refuses one or the other. */
async function kernelReason(machine: Machine): Promise<string | undefined> {
  // Without its command a feature cannot be tried; the package is installed first.
  const tried = features.filter(({ commands }) => ["unshare", ...commands].every((command) => machine.has(command)));
  for (const { what, script } of tried) {
    const error = await machine.inNamespaces(script);
    if (error !== undefined) return `a node needs ${what}, refused here: ${error}`;
  }
  return undefined;
}

function thisMachine(): Machine {
  return {
    platform: process.platform,
    userId: process.getuid?.(),
    missing: [...missingPackages("node"), ...missingPackages("images")],
    canInstall: canInstall(),
    has: (command) => onPath(command) !== undefined,
    cgroups: cgroupsReason,
    async inNamespaces(script) {
      const argv = ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", script];
      const { code, stderr } = await tryRun(argv, { timeoutMs: 10_000 });
      return code === 0 ? undefined : tail(stderr, 1) || `exit code ${code}`;
    },
  };
}
