import { branchTip } from "../git/repository.ts";
import { readCommit } from "../git/read.ts";
import { viewCommit } from "../view/commit.ts";
import { viewFullRepository } from "../view/repository.ts";
import { repoApi, repoWeb } from "../view/urls.ts";
import { permissionsOf } from "./access.ts";
import { mayBypass, rulesetsFor } from "../state/rulesets.ts";
import { fullName, type Ruleset } from "../state/repositories.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { pageOf } from "./page.ts";
import { ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

/** Repositories and their branches. */
export const repositoryRoutes: Route[] = [
  onRepo("GET /repos/{owner}/{repo}", "read:metadata", (call) =>
    ok({ ...viewFullRepository(call.world, call.repo), permissions: permissionsOf(call.identity, call.repo) }),
  ),
  onRepo("GET /repos/{owner}/{repo}/branches/{branch}", "read:contents", branch),
  onRepo("GET /repos/{owner}/{repo}/rules/branches/{branch}", "read:metadata", (call) =>
    pageOf(call, rulesetsFor(call.repo, call.params["branch"] ?? ""), (found) =>
      found.map((one) => viewRule(call, one)),
    ),
  ),
  onRepo("GET /repos/{owner}/{repo}/rulesets/{ruleset_id}", "read:metadata", ruleset),
];

/** The rules of a branch, without regard to who may bypass them. */
function viewRule({ repo }: RepoCall, { id, rule }: Ruleset): object {
  return { ...rule, ruleset_source_type: "Repository", ruleset_source: fullName(repo), ruleset_id: id };
}

function ruleset(call: RepoCall): Answer {
  const found = call.repo.rulesets.find(({ id }) => id === Number(call.params["ruleset_id"]));
  if (!found) throw notFound();
  return ok({
    id: found.id,
    name: found.name,
    target: "branch",
    source_type: "Repository",
    source: fullName(call.repo),
    enforcement: "active",
    current_user_can_bypass: mayBypass(call.identity, found) ? "always" : "never",
    conditions: { ref_name: { include: [`refs/heads/${found.prefix}**`], exclude: [] } },
    rules: [found.rule],
  });
}

async function branch(call: RepoCall): Promise<Answer> {
  const asked = call.params["branch"] ?? "";
  // GitHub redirects with 301 to the new name; the clients follow, so they see its answer.
  const name = call.repo.renamedBranches.get(asked) ?? asked;
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
