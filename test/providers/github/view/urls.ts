import type { Repository } from "../state/repositories.ts";
import { fullName } from "../state/repositories.ts";
import type { World } from "../state/world.ts";

/** An address of the REST interface. */
export function api(world: World, path: string): string {
  return `${world.baseUrl()}/api/v3${path}`;
}

/** An address of the web interface. */
export function web(world: World, path: string): string {
  return `${world.baseUrl()}${path}`;
}

/** A repository's REST address, with `rest` after it. */
export function repoApi(world: World, repo: Repository, rest = ""): string {
  return api(world, `/repos/${fullName(repo)}${rest}`);
}

/** A repository's web address, with `rest` after it. */
export function repoWeb(world: World, repo: Repository, rest = ""): string {
  return web(world, `/${fullName(repo)}${rest}`);
}

/** A node id in GitHub's older form: base64 of the type's name and the number. */
export function nodeId(type: string, id: number): string {
  return Buffer.from(`0${type.length}:${type}${id}`).toString("base64");
}
