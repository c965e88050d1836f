import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The folder with `etcd` and `kube-apiserver`: `KUBEBUILDER_ASSETS` where that is set (as setup-envtest leaves it),
 * else our own build, made once (about 7 minutes, with progress on standard error) and then taken from the cache.
 */
export function controlPlaneDaemons(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const assets = env["KUBEBUILDER_ASSETS"];
  return assets ? checkedAssets(assets) : buildDaemons();
}

/** Builds all daemons, also those of a node (kubelet, kube-proxy, scheduler, controller manager), or finds them in the cache. */
function buildDaemons(): Promise<string> {
  const script = join(import.meta.dirname, "daemons", "build.sh");
  return new Promise((resolve, reject) => {
    const child = spawn(script, [], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", (error) => reject(new Error(`could not run ${script}`, { cause: error })));
    child.once("close", (code) => {
      const folder = output.trim().split("\n").at(-1) ?? "";
      if (code === 0 && folder !== "") resolve(folder);
      else reject(new Error(`${script} ended with code ${code}: the lines above say why.`));
    });
  });
}

async function checkedAssets(folder: string): Promise<string> {
  const missing = ["etcd", "kube-apiserver"].filter((name) => !existsSync(join(folder, name)));
  if (missing.length === 0) return folder;
  throw new Error(
    `KUBEBUILDER_ASSETS names ${folder}, which has no ${missing.join(" and no ")}: ` +
      "run 'setup-envtest use -p path' and set it to the folder that prints, or unset it to build them from source.",
  );
}
