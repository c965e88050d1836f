import type { Answer } from "./rest/route.ts";
import { findRepository } from "./state/find.ts";
import { fullName, type Repository } from "./state/repositories.ts";
import type { World } from "./state/world.ts";

/**
 * The redirect for a request that uses a former name of a repository, unless another repository has that name now. GitHub redirects REST to the
 * address with the repository's id, with 301 for GET and 307 for other methods ("Best practices for using the REST API", follow redirects), and git
 * to the present name ("Renaming a repository").
 */
export function redirectOf(world: World, method: string, url: URL): Answer | undefined {
  const rest = /^\/api\/v3\/repos\/([^/]+\/[^/]+)(\/.*)?$/.exec(url.pathname);
  const git = /^\/([^/]+\/[^/]+?)(?:\.git)?(\/(?:info\/refs|git-upload-pack|git-receive-pack))$/.exec(url.pathname);
  const [, name = "", tail = ""] = rest ?? git ?? [];
  const repo = name === "" || findRepository(world, name) ? undefined : formerly(world, name);
  if (!repo) return undefined;
  const path = rest ? `/api/v3/repositories/${repo.id}${tail}` : `/${fullName(repo)}.git${tail}`;
  const location = `${world.baseUrl()}${path}${url.search}`;
  const [status, message] = method === "GET" ? [301, "Moved Permanently"] : [307, "Temporary Redirect"];
  return {
    status,
    headers: { location },
    body: { message, url: location, documentation_url: "https://docs.github.com/rest" },
  };
}

/** The REST path of a repository's id, with its present name instead. */
export function withPresentName(world: World, path: string): string {
  const [, id, tail = ""] = /^\/repositories\/(\d+)(\/.*)?$/.exec(path) ?? [];
  const repo = world.data.repositories.find((each) => String(each.id) === id);
  return repo && tail !== "" ? `/repos/${fullName(repo)}${tail}` : path;
}

function formerly(world: World, name: string): Repository | undefined {
  return world.data.repositories.find(({ formerNames }) => formerNames.includes(name.toLowerCase()));
}
