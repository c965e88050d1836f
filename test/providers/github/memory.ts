import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { builtIn } from "./state/actions-app.ts";
import { emptyData } from "./state/world.ts";
import type { Data } from "./state/world.ts";

/** Loads the state that an earlier process saved in the folder, or creates a state with only GitHub's own accounts. */
export function recall(stateDir: string, now: string): Data {
  const file = fileIn(stateDir);
  if (existsSync(file)) return deserialize(readFileSync(file)) as Data;
  return { ...emptyData(), ...builtIn(now) };
}

/** Saves the whole state atomically. */
export function memorise(stateDir: string, data: Data): void {
  const file = fileIn(stateDir);
  writeFileSync(`${file}.new`, serialize(data), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function fileIn(stateDir: string): string {
  return join(stateDir, "state.bin");
}
