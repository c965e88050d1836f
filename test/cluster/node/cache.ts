import { homedir } from "node:os";
import { join } from "node:path";

/** The folder for builds and nodes, outside the checkout: `$XDG_CACHE_HOME/bellhop`, or `~/.cache/bellhop`. */
export function cacheFolder(): string {
  const given = process.env["XDG_CACHE_HOME"];
  return join(given !== undefined && given !== "" ? given : join(homedir(), ".cache"), "bellhop");
}
