import { actorOf } from "../auth.ts";
import { openPull } from "../actions/pulls.ts";
import { branchTip, fetchInto } from "../git/repository.ts";
import { distance } from "../git/read.ts";
import { findAccount, pullsOf } from "../state/find.ts";
import type { Repository } from "../state/repositories.ts";
import type { World } from "../state/world.ts";
import { viewPull } from "../view/pull.ts";
import { optionalString, requiredString } from "./body.ts";
import { canSee } from "./access.ts";
import { HttpFailure, invalid } from "./failure.ts";
import { created } from "./route.ts";
import type { Answer, RepoCall } from "./route.ts";

/** `POST /repos/{owner}/{repo}/pulls`. Refusals carry GitHub's messages. */
export async function createPull(call: RepoCall): Promise<Answer> {
  const { body, world, repo } = call;
  const baseRef = requiredString(body, "base", "PullRequest");
  const baseSha = await branchTip(repo.dir, baseRef);
  if (baseSha === undefined) throw invalid("PullRequest", "base", "invalid");
  const head = await headOf(call);
  const title = requiredString(body, "title", "PullRequest");
  refuseSecond(call, { owner: head.repo.owner.login, ref: head.ref }, baseRef);
  if (body["draft"] === true && !repo.hasDrafts)
    throw custom("Draft pull requests are not supported in this repository.");
  await refuseEmpty({ repo, ref: baseRef, sha: baseSha }, head);
  const pull = await openPull(world, actorOf(call.identity), {
    title,
    body: optionalString(body, "body") ?? null,
    head: { ...head, owner: head.repo.owner },
    base: { repo, owner: repo.owner, ref: baseRef, sha: baseSha },
    draft: body["draft"] === true,
    maintainerCanModify: body["maintainer_can_modify"] !== false && head.repo !== repo,
  });
  return created(viewPull(world, pull));
}

/** The repository and branch that `owner:branch` (or `branch`) names, relative to the base repository. */
export function headRepository(
  world: World,
  base: Repository,
  head: string,
): { repo: Repository | undefined; ref: string } {
  const [first = "", rest] = head.split(/:(.*)/s);
  if (rest === undefined) return { repo: base, ref: head };
  const owner = findAccount(world, first);
  const network = world.data.repositories.filter((repo) => repo.owner === owner && related(repo, base));
  return { repo: network.find((repo) => repo === base) ?? network[0], ref: rest };
}

interface Head {
  repo: Repository;
  ref: string;
  sha: string;
}

async function headOf(call: RepoCall): Promise<Head> {
  const { repo, ref } = headRepository(call.world, call.repo, requiredString(call.body, "head", "PullRequest"));
  const sha = repo && canSee(call.identity, repo) ? await branchTip(repo.dir, ref) : undefined;
  if (!repo || sha === undefined) throw invalid("PullRequest", "head", "invalid");
  return { repo, ref, sha };
}

function refuseSecond(call: RepoCall, head: { owner: string; ref: string }, base: string): void {
  const taken = pullsOf(call.world, call.repo).some(
    (pull) =>
      pull.issue.state === "open" &&
      pull.head.owner.login === head.owner &&
      pull.head.ref === head.ref &&
      pull.base.ref === base,
  );
  if (taken) throw custom(`A pull request already exists for ${head.owner}:${head.ref}.`);
}

async function refuseEmpty(base: Head, head: Head): Promise<void> {
  if (head.repo !== base.repo) await fetchInto(base.repo.dir, head.repo.dir, head.sha, `refs/standin/${head.sha}`);
  const { ahead } = await distance(base.repo.dir, base.sha, head.sha);
  if (ahead === 0) throw custom(`No commits between ${base.ref} and ${head.ref}`);
}

function custom(message: string): HttpFailure {
  return new HttpFailure(422, "Validation Failed", { errors: [{ resource: "PullRequest", code: "custom", message }] });
}

function related(repo: Repository, base: Repository): boolean {
  return repo === base || repo.parent === base || repo === base.parent;
}
