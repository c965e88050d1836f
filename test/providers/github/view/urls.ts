import type { Repository } from "../state/repositories.ts";
import { fullName } from "../state/repositories.ts";
import type { World } from "../state/world.ts";

/** A URL of the REST API. */
export function api(world: World, path: string): string {
  return `${world.baseUrl()}/api/v3${path}`;
}

/** A URL of the web interface. */
export function web(world: World, path: string): string {
  return `${world.baseUrl()}${path}`;
}

/** The REST URL of a repository, followed by `rest`. */
export function repoApi(world: World, repo: Repository, rest = ""): string {
  return api(world, `/repos/${fullName(repo)}${rest}`);
}

/** The web URL of a repository, followed by `rest`. */
export function repoWeb(world: World, repo: Repository, rest = ""): string {
  return web(world, `/${fullName(repo)}${rest}`);
}

/** A node id in GitHub's older form: base64 of the type's name and the number. */
export function nodeId(type: string, id: number): string {
  return Buffer.from(`0${type.length}:${type}${id}`).toString("base64");
}
