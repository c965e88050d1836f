import { existsSync, readFileSync } from "node:fs";
import { tail, tryRun } from "./run.ts";
import { onPath } from "./tools.ts";

/** What a node and its images need of the machine: a file or command, and the Debian package that brings it. */
const needs: readonly { what: string; package: string }[] = [
  { what: "containerd", package: "containerd" },
  { what: "runc", package: "runc" },
  { what: "/usr/lib/cni/ptp", package: "containernetworking-plugins" },
  { what: "iptables", package: "iptables" },
  { what: "ipset", package: "ipset" },
  { what: "ip", package: "iproute2" },
  { what: "conntrack", package: "conntrack" },
  { what: "openssl", package: "openssl" },
  { what: "unshare", package: "util-linux" },
  { what: "/bin/busybox", package: "busybox-static" },
  { what: "buildah", package: "buildah" },
  { what: "mmdebstrap", package: "mmdebstrap" },
  { what: "git", package: "git" },
];

/** The Debian packages that are missing. */
export function missingPackages(): string[] {
  return needs
    .filter(({ what }) => (what.startsWith("/") ? !existsSync(what) : onPath(what) === undefined))
    .map((need) => need.package);
}

/**
 * Installs what is missing where this is root on Debian, with a line about it; else throws one line that names it.
 * Does nothing where nothing is missing.
 */
export async function installPrerequisites(log: (line: string) => void): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (!canInstall()) throw new Error(`install these first (names of Debian packages): ${missing.join(" ")}`);
  log(`installing Debian packages: ${missing.join(" ")}`);
  await install(missing);
  const still = missingPackages();
  if (still.length > 0) throw new Error(`still missing after their packages were installed: ${still.join(" ")}`);
}

/** Whether packages can be installed here: root, on Debian or something made from it. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && isDebian() && onPath("apt-get") !== undefined;
}

/** The lists may be old or absent on a new machine: a failure is followed by one update and a second try. */
async function install(packages: string[]): Promise<void> {
  const argv = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages];
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 600_000 };
  if ((await tryRun(argv, options)).code === 0) return;
  await tryRun(["apt-get", "update", "-qq"], options);
  const second = await tryRun(argv, options);
  if (second.code !== 0) throw new Error(`apt-get could not install them:\n${tail(second.stdout + second.stderr, 15)}`);
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*debian/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}
