import { existsSync, readFileSync } from "node:fs";
import { tail, tryRun } from "./run.ts";
import { onPath } from "./tools.ts";

/** The purpose of a prerequisite. */
type Purpose = "node" | "images";

/** A prerequisite of the machine: a file or command, its Debian package, and its use. */
const needs: readonly { what: string; package: string; for: readonly Purpose[] }[] = [
  { what: "containerd", package: "containerd", for: ["node"] },
  { what: "runc", package: "runc", for: ["node"] },
  { what: "/usr/lib/cni/ptp", package: "containernetworking-plugins", for: ["node"] },
  { what: "iptables", package: "iptables", for: ["node"] },
  { what: "ipset", package: "ipset", for: ["node"] },
  { what: "ip", package: "iproute2", for: ["node"] },
  { what: "conntrack", package: "conntrack", for: ["node"] },
  { what: "openssl", package: "openssl", for: ["node"] },
  { what: "/bin/busybox", package: "busybox-static", for: ["node"] },
  { what: "git", package: "git", for: ["node"] },
  { what: "unshare", package: "util-linux", for: ["node", "images"] },
  { what: "buildah", package: "buildah", for: ["images"] },
  { what: "mmdebstrap", package: "mmdebstrap", for: ["images"] },
];

/** The Debian packages that are missing. */
export function missingPackages(purpose: Purpose): string[] {
  return needs
    .filter((need) => need.for.includes(purpose))
    .filter(({ what }) => (what.startsWith("/") ? !existsSync(what) : onPath(what) === undefined))
    .map((need) => need.package);
}

/**
 * Installs missing packages if this is root on Debian, and prints a line about it. Otherwise throws a message of one line that names them.
 */
export async function installPrerequisites(purpose: Purpose, log: (line: string) => void): Promise<void> {
  if (purpose === "images" && !isRoot()) {
    throw new Error("building the images without Docker needs root, for mounts: run this as root on Debian");
  }
  const missing = missingPackages(purpose);
  if (missing.length === 0) return;
  if (!canInstall()) throw new Error(`install these first (names of Debian packages): ${missing.join(" ")}`);
  log(`installing Debian packages: ${missing.join(" ")}`);
  await install(missing);
  const still = missingPackages(purpose);
  if (still.length > 0) throw new Error(`still missing after their packages were installed: ${still.join(" ")}`);
}

/** Whether packages can be installed: this is root, on Debian or a system based on it. */
export function canInstall(): boolean {
  return isRoot() && isDebian() && onPath("apt-get") !== undefined;
}

/** Installs packages. If this fails, updates the package lists, which may be old or missing on a new machine, and tries once more. */
async function install(packages: string[]): Promise<void> {
  const argv = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages];
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 600_000 };
  if ((await tryRun(argv, options)).code === 0) return;
  await tryRun(["apt-get", "update", "-qq"], options);
  const second = await tryRun(argv, options);
  if (second.code !== 0) throw new Error(`apt-get could not install them:\n${tail(second.stdout + second.stderr, 15)}`);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*debian/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}
