import { actorOf } from "../auth.ts";
import { editIssue, setState } from "../actions/issues.ts";
import { mergePull, requestReview, retarget } from "../actions/pulls.ts";
import { afterPush } from "../actions/push.ts";
import { branchTip } from "../git/repository.ts";
import { changedFiles, logCommits } from "../git/read.ts";
import { findAccount, findPull, pullsOf } from "../state/find.ts";
import type { Pull } from "../state/issues.ts";
import { viewCommit, viewFile } from "../view/commit.ts";
import { viewPull, viewPullItem } from "../view/pull.ts";
import { optionalString, stringList } from "./body.ts";
import { HttpFailure, invalid, notFound } from "./failure.ts";
import { pageOf } from "./page.ts";
import { createPull } from "./pull-create.ts";
import { created, ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

const root = "/repos/{owner}/{repo}/pulls";
const read = "read:pull_requests";
const write = "write:pull_requests";

/** Pull requests. */
export const pullRoutes: Route[] = [
  onRepo(`GET ${root}`, read, list),
  onRepo(`POST ${root}`, write, createPull),
  onRepo(`GET ${root}/{pull_number}`, read, (call) => ok(viewPull(call.world, pullOf(call)))),
  onRepo(`PATCH ${root}/{pull_number}`, write, update),
  onRepo(`GET ${root}/{pull_number}/files`, read, files),
  onRepo(`GET ${root}/{pull_number}/commits`, read, commits),
  onRepo(`PUT ${root}/{pull_number}/merge`, "write:contents", merge),
  onRepo(`POST ${root}/{pull_number}/requested_reviewers`, write, requestReviewers),
];

/** The pull request that the path names. */
export function pullOf(call: RepoCall): Pull {
  const found = findPull(call.world, call.repo, Number(call.params["pull_number"]));
  if (!found) throw notFound();
  return found;
}

/** `head` is `owner:branch`; other forms are ignored, as by GitHub. */
function list(call: RepoCall): Answer {
  const state = call.query.get("state") ?? "open";
  const head = call.query.get("head");
  const base = call.query.get("base");
  const found = pullsOf(call.world, call.repo).filter(
    (pull) =>
      (state === "all" || pull.issue.state === state) &&
      (!head?.includes(":") || `${pull.head.owner.login}:${pull.head.ref}`.toLowerCase() === head.toLowerCase()) &&
      (base === null || pull.base.ref === base),
  );
  const ascending = call.query.get("direction") === "asc";
  return pageOf(call, ascending ? found : found.toReversed(), (items) =>
    items.map((pull) => viewPullItem(call.world, pull)),
  );
}

async function update(call: RepoCall): Promise<Answer> {
  const pull = pullOf(call);
  const actor = actorOf(call.identity);
  const { body } = call;
  const base = optionalString(body, "base");
  if (base !== undefined) {
    const sha = await branchTip(call.repo.dir, base);
    if (sha === undefined) throw invalid("PullRequest", "base", "invalid");
    await retarget(call.world, actor, pull, { ref: base, sha });
  }
  editIssue(call.world, actor, pull.issue, {
    title: optionalString(body, "title"),
    body: optionalString(body, "body"),
  });
  if (body["state"] === "open" || body["state"] === "closed") setState(call.world, actor, pull.issue, body["state"]);
  return ok(viewPull(call.world, pull));
}

async function files(call: RepoCall): Promise<Answer> {
  const pull = pullOf(call);
  const all = await changedFiles(call.repo.dir, pull.base.sha, pull.head.sha);
  return pageOf(call, all, (items) => items.map((file) => viewFile(call.world, call.repo, file, pull.head.sha)));
}

async function commits(call: RepoCall): Promise<Answer> {
  const pull = pullOf(call);
  const all = await logCommits(call.repo.dir, [`${pull.base.sha}..${pull.head.sha}`]);
  return pageOf(call, all.toReversed(), (items) => items.map((commit) => viewCommit(call.world, call.repo, commit)));
}

async function merge(call: RepoCall): Promise<Answer> {
  const pull = pullOf(call);
  const wanted = optionalString(call.body, "sha");
  if (wanted !== undefined && wanted !== pull.head.sha) {
    throw new HttpFailure(409, "Head branch was modified. Review and try the merge again.");
  }
  if (pull.issue.state !== "open" || !pull.stats.mergeable) throw new HttpFailure(405, "Pull Request is not mergeable");
  const actor = actorOf(call.identity);
  const before = pull.base.sha;
  const sha = await mergePull(call.world, actor, pull);
  await afterPush(call.world, actor, call.repo, { ref: `refs/heads/${pull.base.ref}`, before, after: sha });
  return ok({ sha, merged: true, message: "Pull Request successfully merged" });
}

/** Apps cannot be reviewers: answers 422 with GitHub's message. */
function requestReviewers(call: RepoCall): Answer {
  const pull = pullOf(call);
  for (const login of stringList(call.body["reviewers"]) ?? []) {
    const reviewer = findAccount(call.world, login);
    if (reviewer?.type !== "User") {
      throw new HttpFailure(
        422,
        "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.",
      );
    }
    requestReview(call.world, actorOf(call.identity), pull, reviewer);
  }
  return created(viewPullItem(call.world, pull));
}
