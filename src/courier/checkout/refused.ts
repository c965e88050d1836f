import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { TreeEntry } from "../git/tree.ts";
import type { RawPath } from "../raw-path.ts";

/** A path of the commit that was not written to the workspace, and why. Its absence in the workspace means nothing; the import keeps it in the commit. */
export interface Refused {
  path: RawPath;
  why: string;
}

const stored = z.array(z.object({ path: z.string(), why: z.string() }));

/** Records the paths that the checkout omitted, in the courier's own volume. */
export function saveRefused(folder: string, refused: readonly Refused[]): void {
  writeFileSync(path.join(folder, "refused.json"), JSON.stringify(refused));
}

/** Reads the paths that the checkout omitted. Throws if there was no checkout. */
export function loadRefused(folder: string): Refused[] {
  return stored.parse(JSON.parse(readFileSync(path.join(folder, "refused.json"), "utf8")));
}

/** A tree without those paths. */
export function without(tree: readonly TreeEntry[], refused: readonly Refused[]): TreeEntry[] {
  const left = new Set(refused.map(({ path }) => path));
  return tree.filter((entry) => !left.has(entry.path));
}
