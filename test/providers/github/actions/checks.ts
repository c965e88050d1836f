import type { CommitFacts } from "../git/read.ts";
import type { CheckSuite, Conclusion, WorkflowRun } from "../state/checks.ts";
import type { Repository } from "../state/repositories.ts";
import { actionsAppId } from "../state/actions-app.ts";
import { newId, timestamp } from "../state/world.ts";
import type { Actor, World } from "../state/world.ts";
import { viewSuite } from "../view/check.ts";
import { viewRun, viewWorkflow } from "../view/run.ts";

/** The name of the workflow that every push runs. */
export const workflowName = "CI";

/** A branch that a push moved. */
export interface PushedHead {
  branch: string;
  before: string;
  commit: CommitFacts;
}

/** Whether a commit skips checks: its last line is the trailer `skip-checks: true`. GitHub then creates no check suites. */
export function skipsChecks(message: string): boolean {
  return /^skip-checks:\s*true$/i.test(message.trimEnd().split("\n").at(-1) ?? "");
}

/** Starts the checks of a pushed branch: a queued suite with a workflow run of one job, unless the commit skips checks. */
export function startChecks(world: World, actor: Actor, repo: Repository, head: PushedHead): CheckSuite | undefined {
  if (skipsChecks(head.commit.message)) return undefined;
  const now = timestamp(world);
  const suite: CheckSuite = {
    id: newId(world),
    repo,
    headBranch: head.branch,
    headSha: head.commit.sha,
    headCommit: head.commit,
    before: head.before,
    status: "queued",
    conclusion: null,
    createdAt: now,
    updatedAt: now,
  };
  world.data.suites.push(suite);
  const run = newRun(world, suite, { actor, title: head.commit.message.split("\n")[0] ?? "" });
  world.data.runs.push(run);
  emitRun(world, run, "requested");
  return suite;
}

/** Ends a suite and its run; then sends `check_suite` and `workflow_run`, both with action `completed`, as GitHub does. */
export function completeChecks(
  world: World,
  suite: CheckSuite,
  outcome: { conclusion: Conclusion; jobName?: string | undefined; log?: string | undefined },
): WorkflowRun {
  const run = world.data.runs.find((candidate) => candidate.suite === suite);
  if (!run) throw new Error(`GitHub stand-in: check suite ${suite.id} has no workflow run.`);
  const now = timestamp(world);
  Object.assign(suite, { status: "completed", conclusion: outcome.conclusion, updatedAt: now });
  run.updatedAt = now;
  for (const job of run.jobs) {
    Object.assign(job, { conclusion: outcome.conclusion, completedAt: now, log: outcome.log ?? job.log });
    job.name = outcome.jobName ?? job.name;
    const check = world.data.checkRuns.find((candidate) => candidate.id === job.id);
    if (check)
      Object.assign(check, { name: job.name, status: "completed", conclusion: outcome.conclusion, completedAt: now });
  }
  emitSuite(world, run, "completed");
  emitRun(world, run, "completed");
  return run;
}

function newRun(world: World, suite: CheckSuite, cause: { actor: Actor; title: string }): WorkflowRun {
  const earlier = world.data.runs.filter((run) => run.suite.repo === suite.repo).length;
  const job = {
    id: newId(world),
    name: "test",
    conclusion: null,
    log: "",
    startedAt: suite.createdAt,
    completedAt: null,
  };
  world.data.checkRuns.push({
    id: job.id,
    repo: suite.repo,
    headSha: suite.headSha,
    suiteId: suite.id,
    appId: actionsAppId,
    name: job.name,
    status: "queued",
    conclusion: null,
    externalId: "",
    detailsUrl: null,
    output: { title: null, summary: null, text: null },
    startedAt: suite.createdAt,
    completedAt: null,
  });
  return {
    id: newId(world),
    suite,
    workflowId: suite.repo.id + 1_000_000,
    name: workflowName,
    path: ".github/workflows/ci.yml",
    runNumber: earlier + 1,
    event: "push",
    actor: cause.actor.account,
    title: cause.title,
    jobs: [job],
    createdAt: suite.createdAt,
    updatedAt: suite.createdAt,
  };
}

function emitSuite(world: World, run: WorkflowRun, action: string): void {
  const payload = { check_suite: viewSuite(world, run.suite) };
  world.emit({ event: "check_suite", action, repo: run.suite.repo, sender: run.actor, payload });
}

function emitRun(world: World, run: WorkflowRun, action: string): void {
  const payload = { workflow_run: viewRun(world, run), workflow: viewWorkflow(world, run) };
  world.emit({ event: "workflow_run", action, repo: run.suite.repo, sender: run.actor, payload });
}
