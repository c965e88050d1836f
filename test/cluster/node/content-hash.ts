import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** A short hash of names and contents of files below `root`. Of folders, it includes all files except tests and node_modules. */
export function contentHash(root: string, paths: readonly string[], more: readonly string[] = []): string {
  const hash = createHash("sha256");
  for (const text of more) hash.update(`${text}\0`);
  for (const path of paths.flatMap((each) => filesBelow(root, each)).sort()) {
    const bytes = readFileSync(join(root, path));
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex").slice(0, 16);
}

function filesBelow(root: string, path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path))
    .filter((name) => name !== "node_modules" && !name.endsWith(".test.ts"))
    .flatMap((name) => filesBelow(root, join(path, name)));
}
