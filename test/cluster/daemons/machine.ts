import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { cacheFolder } from "../node/cache.ts";
import { executables, foldersOnPath } from "../node/executables.ts";
import { tail, tryRun } from "../node/run.ts";

/** Uses of daemons: a control plane on loopback, or a complete node. */
export type DaemonUse = "control plane" | "node";

/** `etcd`, or a Kubernetes daemon. All Kubernetes daemons must have the same version. */
const needs: Readonly<Record<DaemonUse, readonly string[]>> = {
  "control plane": ["etcd", "kube-apiserver"],
  node: ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"],
};

/** A place where daemons may be: its human-readable name, and the folders in search order. */
export interface Place {
  name: string;
  folders: readonly string[];
}

/** The folder with all daemons of a use at one place, or the reason why the place is not suitable. `partly`: it has only some of them. */
export type Found = { fits: true; folder: string; what: string } | { fits: false; why: string; partly: boolean };

/** The folder that kubebuilder's instructions use. */
const usualFolders = ["/usr/local/kubebuilder/bin"];

/** Places where a machine may have daemons: `KUBEBUILDER_ASSETS`, the PATH, usual folders, and the folder of setup-envtest. */
export function placesOf(
  env: NodeJS.ProcessEnv,
  usual: readonly string[] = usualFolders,
): { assets: Place | undefined; others: Place[] } {
  const assets = env["KUBEBUILDER_ASSETS"];
  return {
    assets: assets ? { name: `${assets} (KUBEBUILDER_ASSETS)`, folders: [assets] } : undefined,
    others: [
      { name: "the PATH", folders: foldersOnPath(env) },
      ...[...usual, ...envtestFolders(env)].map((folder) => ({ name: folder, folders: [folder] })),
    ],
  };
}

/** `<data>/kubebuilder-envtest/k8s/<version>-<os>-<arch>`, the newest version first. */
function envtestFolders(env: NodeJS.ProcessEnv): string[] {
  const data = env["XDG_DATA_HOME"] || join(env["HOME"] ?? homedir(), ".local", "share");
  const store = join(data, "kubebuilder-envtest", "k8s");
  try {
    const names = readdirSync(store).filter((name) => /^\d+\.\d+\.\d+-/.test(name));
    return names.sort((a, b) => b.localeCompare(a, "en", { numeric: true })).map((name) => join(store, name));
  } catch {
    return [];
  }
}

/** Checks that a place has all daemons of a use in suitable versions. Runs each daemon to get its version. */
export async function daemonsAt({ name, folders }: Place, use: DaemonUse): Promise<Found> {
  const found = needs[use].map((daemon) => ({ daemon, path: executables(daemon, folders)[0] }));
  const missing = found.filter(({ path }) => path === undefined).map(({ daemon }) => daemon);
  const partly = missing.length < found.length;
  if (missing.length > 0) return { fits: false, partly, why: `${name} has no ${missing.join(", no ")}` };
  const daemons = await Promise.all(found.map(async ({ daemon, path = "" }) => ({ daemon, ...(await versionOf(path)) })));
  const misfit = whyNot(daemons);
  if (misfit !== undefined) return { fits: false, partly, why: `${name} has ${misfit}` };
  const [etcd, apiServer] = daemons;
  const folder = oneFolder(daemons);
  return { fits: true, folder, what: `Kubernetes ${apiServer?.version} and etcd ${etcd?.version} of ${folderName(name, folder)}` };
}

/** For a place with several folders, the folder with the daemons. */
function folderName(name: string, folder: string): string {
  return name === "the PATH" ? `${folder} (on the PATH)` : name;
}

interface Daemon extends Version {
  daemon: string;
}

/** Major and minor version from `--version`; undefined if the daemon does not run. */
interface Version {
  path: string;
  version: string;
  minor: readonly [number, number] | undefined;
}

async function versionOf(path: string): Promise<Version> {
  const { code, stdout, stderr } = await tryRun([path, "--version"], { timeoutMs: 30_000 }).catch(refused);
  const [, version = "", major, minor] = /(?:Kubernetes|etcd Version:) (v?(\d+)\.(\d+)\.\S+)/.exec(stdout) ?? [];
  if (code !== 0 || version === "") return { path, version: tail(stderr, 1) || "no version", minor: undefined };
  return { path, version, minor: [Number(major), Number(minor)] };
}

function refused(error: Error): { code: number; stdout: string; stderr: string } {
  return { code: 126, stdout: "", stderr: error.message };
}

/** Describes the unsuitable daemon, as a text that completes "… has". */
function whyNot(daemons: readonly Daemon[]): string | undefined {
  const oldest = pinned();
  const broken = daemons.find(({ minor }) => minor === undefined);
  if (broken) return `a ${broken.daemon} that does not say its version (${broken.version})`;
  const old = daemons.find(({ daemon, minor = [0, 0] }) => isOlder(minor, oldest[kindOf(daemon)]));
  if (old) return `${old.daemon} ${old.version}, and ${oldest[kindOf(old.daemon)].join(".")} or newer is needed`;
  const ofKubernetes = daemons.filter(({ daemon }) => kindOf(daemon) === "kubernetes");
  const [first] = ofKubernetes;
  const other = ofKubernetes.find(({ minor }) => minor?.join() !== first?.minor?.join());
  return other && `${first?.daemon} ${first?.version} beside ${other.daemon} ${other.version}`;
}

type Kind = "etcd" | "kubernetes";

function kindOf(daemon: string): Kind {
  return daemon === "etcd" ? "etcd" : "kubernetes";
}

function isOlder([major, minor]: readonly [number, number], than: readonly [number, number]): boolean {
  return major !== than[0] ? major < than[0] : minor < than[1];
}

/** Major and minor version of our own build. */
function pinned(): Record<Kind, readonly [number, number]> {
  const modules = readFileSync(join(import.meta.dirname, "go.mod"), "utf8");
  const of = (module: string): readonly [number, number] => {
    const [, major, minor] = new RegExp(String.raw`^\s*${module} v(\d+)\.(\d+)\.`, "m").exec(modules) ?? [];
    return [Number(major), Number(minor)];
  };
  return { kubernetes: of("k8s.io/kubernetes"), etcd: of("go.etcd.io/etcd/server/v3") };
}

/** The folder of the daemons. If they are in several folders, creates a folder in the cache with links to them. */
function oneFolder(daemons: readonly Daemon[]): string {
  const [first = "", ...others] = new Set(daemons.map(({ path }) => dirname(path)));
  if (others.length === 0) return first;
  const paths = daemons.map(({ path }) => path);
  const hash = createHash("sha256").update(paths.join("\0")).digest("hex").slice(0, 16);
  const folder = join(cacheFolder(), `daemons-${hash}`);
  mkdirSync(folder, { recursive: true });
  for (const { daemon, path } of daemons) {
    rmSync(join(folder, daemon), { force: true });
    symlinkSync(path, join(folder, daemon));
  }
  return folder;
}
