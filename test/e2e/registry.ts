import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../cluster/node/cache.ts";
import type { RealNode } from "../cluster/node/index.ts";
import { run, tryRun } from "../cluster/node/run.ts";
import { until } from "../cluster/node/wait.ts";

/** An image registry in a node's network; only the node can reach it. */
export interface Registry {
  /** `host:port`, the prefix for image names. */
  address: string;
  /** Environment for a process in the node's network to push there without TLS. */
  env: Record<string, string>;
}

const address = "127.0.0.1:5000";

/** Starts Debian's registry in the node's network; it ends with the node. */
export async function startRegistry(node: RealNode): Promise<Registry> {
  const binary = await registryBinary();
  const folder = join(node.folder, "registry");
  mkdirSync(folder, { mode: 0o700 });
  const configuration = {
    version: 0.1,
    log: { level: "warn" },
    storage: { filesystem: { rootdirectory: join(folder, "blobs") } },
    http: { addr: address },
  };
  writeFileSync(join(folder, "config.yml"), JSON.stringify(configuration));
  writeFileSync(join(folder, "registries.conf"), `[[registry]]\nlocation = "${address}"\ninsecure = true\n`);
  node.start("registry", [binary, "serve", join(folder, "config.yml")]);
  const answers = async (): Promise<boolean> =>
    (await node.exec(["bash", "-c", `exec 3<> /dev/tcp/${address.replace(":", "/")}`])).code === 0;
  await until(answers, { what: "the registry to answer", timeoutMs: 30_000 });
  return { address, env: { CONTAINERS_REGISTRIES_CONF: join(folder, "registries.conf") } };
}

/** Unpacks the registry's program from its Debian package to the cache, once. Nothing is installed and no service starts. */
async function registryBinary(): Promise<string> {
  const folder = join(cacheFolder(), "docker-registry");
  const binary = join(folder, "usr", "bin", "docker-registry");
  if (existsSync(binary)) return binary;
  mkdirSync(cacheFolder(), { recursive: true });
  const fresh = mkdtempSync(join(cacheFolder(), "docker-registry-"));
  try {
    await download(fresh);
    const archive = readdirSync(fresh).find((name) => name.endsWith(".deb")) ?? "";
    await run(["dpkg-deb", "--extract", join(fresh, archive), fresh]);
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return binary;
}

/** Downloads the package. If this fails, updates the package lists, which may be old or missing on a new machine, and tries once more. */
async function download(folder: string): Promise<void> {
  const argv = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", "docker-registry"];
  if ((await tryRun(argv, { cwd: folder })).code === 0) return;
  await run(["apt-get", "update", "-qq"], { timeoutMs: 300_000 });
  await run(argv, { cwd: folder });
}
