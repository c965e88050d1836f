import { actionsAppId } from "../state/actions-app.ts";
import type { CheckRun, CheckSuite, CommitStatus } from "../state/checks.ts";
import { pullsOf } from "../state/find.ts";
import type { Pull } from "../state/issues.ts";
import type { Repository } from "../state/repositories.ts";
import type { World } from "../state/world.ts";
import { viewAccount } from "./account.ts";
import { viewAppOrNull } from "./app.ts";
import { viewHeadCommit } from "./commit.ts";
import { viewPullMinimal } from "./pull.ts";
import { viewRepository } from "./repository.ts";
import { nodeId, repoApi, repoWeb, web } from "./urls.ts";

/** GitHub's schema `check-suite`. */
export function viewSuite(world: World, suite: CheckSuite): Record<string, unknown> {
  const url = repoApi(world, suite.repo, `/check-suites/${suite.id}`);
  return {
    id: suite.id,
    node_id: nodeId("CheckSuite", suite.id),
    head_branch: suite.headBranch,
    head_sha: suite.headSha,
    status: suite.status,
    conclusion: suite.conclusion,
    url,
    before: suite.before,
    after: suite.headSha,
    pull_requests: openPullsAt(world, suite.repo, suite.headSha).map((pull) => viewPullMinimal(world, pull)),
    app: viewAppOrNull(world, appOf(world, actionsAppId)),
    created_at: suite.createdAt,
    updated_at: suite.updatedAt,
    rerequestable: true,
    runs_rerequestable: false,
    latest_check_runs_count: world.data.checkRuns.filter((run) => run.suiteId === suite.id).length,
    check_runs_url: `${url}/check-runs`,
    head_commit: viewHeadCommit(suite.headCommit),
    repository: viewRepository(world, suite.repo),
  };
}

/** GitHub's schema `check-run`. */
export function viewCheckRun(world: World, run: CheckRun): Record<string, unknown> {
  const url = repoApi(world, run.repo, `/check-runs/${run.id}`);
  return {
    id: run.id,
    head_sha: run.headSha,
    node_id: nodeId("CheckRun", run.id),
    external_id: run.externalId,
    url,
    html_url: repoWeb(world, run.repo, `/runs/${run.id}`),
    details_url: run.detailsUrl ?? repoWeb(world, run.repo, `/runs/${run.id}`),
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: { ...run.output, annotations_count: 0, annotations_url: `${url}/annotations` },
    name: run.name,
    check_suite: { id: run.suiteId },
    app: viewAppOrNull(world, appOf(world, run.appId)),
    pull_requests: openPullsAt(world, run.repo, run.headSha).map((pull) => viewPullMinimal(world, pull)),
  };
}

/** GitHub's schema `status`. */
export function viewStatus(world: World, status: CommitStatus): Record<string, unknown> {
  return {
    url: repoApi(world, status.repo, `/statuses/${status.sha}`),
    avatar_url: web(world, `/avatars/u/${status.creator.id}`),
    id: status.id,
    node_id: nodeId("StatusContext", status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    creator: viewAccount(world, status.creator),
  };
}

/** Open pull requests of a repository whose head is this commit. */
export function openPullsAt(world: World, repo: Repository, sha: string): Pull[] {
  return pullsOf(world, repo).filter((pull) => pull.issue.state === "open" && pull.head.sha === sha);
}

function appOf(world: World, id: number): World["data"]["apps"][number] | null {
  return world.data.apps.find((app) => app.id === id) ?? null;
}
