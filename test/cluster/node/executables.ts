import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The folders of the PATH, and root's usual folders, which are missing after `su` without a dash. */
export function foldersOnPath(env: NodeJS.ProcessEnv = process.env): string[] {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders, "/usr/sbin", "/sbin"];
}

/** Full paths of a command in these folders, in the same order. */
export function executables(name: string, folders: readonly string[]): string[] {
  return folders.map((folder) => join(folder, name)).filter(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
