import type { Job, WorkflowRun } from "../state/checks.ts";
import type { World } from "../state/world.ts";
import { viewAccount } from "./account.ts";
import { openPullsAt } from "./check.ts";
import { viewHeadCommit } from "./commit.ts";
import { viewPullMinimal } from "./pull.ts";
import { viewRepository } from "./repository.ts";
import { nodeId, repoApi, repoWeb } from "./urls.ts";

/** GitHub's schema `workflow-run`. */
export function viewRun(world: World, run: WorkflowRun): Record<string, unknown> {
  const { suite } = run;
  const url = repoApi(world, suite.repo, `/actions/runs/${run.id}`);
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId("WorkflowRun", run.id),
    head_branch: suite.headBranch,
    head_sha: suite.headSha,
    path: run.path,
    display_title: run.title,
    run_number: run.runNumber,
    run_attempt: 1,
    run_started_at: run.createdAt,
    event: run.event,
    status: suite.status,
    conclusion: suite.conclusion,
    workflow_id: run.workflowId,
    check_suite_id: suite.id,
    check_suite_node_id: nodeId("CheckSuite", suite.id),
    pull_requests: openPullsAt(world, suite.repo, suite.headSha).map((pull) => viewPullMinimal(world, pull)),
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    actor: viewAccount(world, run.actor),
    triggering_actor: viewAccount(world, run.actor),
    ...urls(world, run, url),
    previous_attempt_url: null,
    referenced_workflows: [],
    head_commit: viewHeadCommit(suite.headCommit),
    repository: viewRepository(world, suite.repo),
    head_repository: viewRepository(world, suite.repo),
  };
}

/** GitHub's schema `workflow`, as the webhook carries it. */
export function viewWorkflow(world: World, run: WorkflowRun): Record<string, unknown> {
  const { repo } = run.suite;
  return {
    id: run.workflowId,
    node_id: nodeId("Workflow", run.workflowId),
    name: run.name,
    path: run.path,
    state: "active",
    created_at: repo.createdAt,
    updated_at: repo.createdAt,
    url: repoApi(world, repo, `/actions/workflows/${run.workflowId}`),
    html_url: repoWeb(world, repo, `/blob/${repo.defaultBranch}/${run.path}`),
    badge_url: repoWeb(world, repo, `/workflows/${run.name}/badge.svg`),
  };
}

/** GitHub's schema `job`. */
export function viewJob(world: World, run: WorkflowRun, job: Job): Record<string, unknown> {
  const { repo, headSha, headBranch, status } = run.suite;
  return {
    id: job.id,
    run_id: run.id,
    workflow_name: run.name,
    head_branch: headBranch,
    run_url: repoApi(world, repo, `/actions/runs/${run.id}`),
    run_attempt: 1,
    node_id: nodeId("CheckRun", job.id),
    head_sha: headSha,
    url: repoApi(world, repo, `/actions/jobs/${job.id}`),
    html_url: repoWeb(world, repo, `/actions/runs/${run.id}/job/${job.id}`),
    status,
    conclusion: job.conclusion,
    created_at: job.startedAt,
    started_at: job.startedAt,
    completed_at: job.completedAt,
    name: job.name,
    steps: [],
    check_run_url: repoApi(world, repo, `/check-runs/${job.id}`),
    labels: ["ubuntu-latest"],
    runner_id: null,
    runner_name: null,
    runner_group_id: null,
    runner_group_name: null,
  };
}

function urls(world: World, run: WorkflowRun, url: string): Record<string, string> {
  const { repo, id } = run.suite;
  return {
    url,
    html_url: repoWeb(world, repo, `/actions/runs/${run.id}`),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: repoApi(world, repo, `/check-suites/${id}`),
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    workflow_url: repoApi(world, repo, `/actions/workflows/${run.workflowId}`),
  };
}
