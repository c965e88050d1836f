import { branchTip } from "../git/repository.ts";
import { readCommit } from "../git/read.ts";
import { viewCommit } from "../view/commit.ts";
import { viewFullRepository } from "../view/repository.ts";
import { repoApi, repoWeb } from "../view/urls.ts";
import { permissionsOf } from "./access.ts";
import { HttpFailure } from "./failure.ts";
import { ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

/** Repositories and their branches. */
export const repositoryRoutes: Route[] = [
  onRepo("GET /repos/{owner}/{repo}", "read:metadata", (call) =>
    ok({ ...viewFullRepository(call.world, call.repo), permissions: permissionsOf(call.identity, call.repo) }),
  ),
  onRepo("GET /repos/{owner}/{repo}/branches/{branch}", "read:contents", branch),
];

async function branch(call: RepoCall): Promise<Answer> {
  const name = call.params["branch"] ?? "";
  const tip = await branchTip(call.repo.dir, name);
  const commit = tip === undefined ? undefined : await readCommit(call.repo.dir, tip);
  if (!commit) throw new HttpFailure(404, "Branch not found");
  const isProtected = call.repo.protectedBranches.has(name);
  const self = repoApi(call.world, call.repo, `/branches/${name}`);
  return ok({
    name,
    commit: viewCommit(call.world, call.repo, commit),
    _links: { self, html: repoWeb(call.world, call.repo, `/tree/${name}`) },
    protected: isProtected,
    protection: {
      enabled: isProtected,
      required_status_checks: { enforcement_level: isProtected ? "non_admins" : "off", contexts: [], checks: [] },
    },
    protection_url: `${self}/protection`,
  });
}
