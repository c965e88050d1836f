import { existsSync } from "node:fs";
import { join } from "node:path";
import { root, textOf } from "../docs.ts";

/** The guide whose table says which files the folder of a provider has. */
export const guide = "docs/adding-a-provider.md";

/** One row of the table: files that a provider has or lacks together, and the exports of the first one. */
export interface ProviderFiles {
  files: string[];
  exports: string[];
}

/** The rows of the table in the guide. */
export function providerFiles(): ProviderFiles[] {
  const rows = [...textOf(guide).matchAll(/^ *\| (`[^|]+`) \| ([^|]*) \| [^|]+ \|$/gm)];
  if (rows.length === 0) throw new Error(`${guide} has no table of files`);
  return rows.map(([, files = "", exports = ""]) => ({
    files: codeIn(files, /`([\w./-]+)`/g),
    // Names of types begin with an upper-case letter and are not exports of the file.
    exports: codeIn(exports, /`([a-z]\w*)`/g),
  }));
}

/** Whether a provider has this file. */
export function hasFile(provider: string, file: string): boolean {
  return existsSync(join(root, "src/integrations", provider, file));
}

/** The names that a module of a provider exports. */
export async function exportsOf(provider: string, file: string): Promise<string[]> {
  const module = (await import(join(root, "src/integrations", provider, file))) as object;
  return Object.keys(module);
}

function codeIn(cell: string, pattern: RegExp): string[] {
  return [...cell.matchAll(pattern)].map(([, name = ""]) => name);
}
