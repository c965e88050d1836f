import type { Job, WorkflowRun } from "../state/checks.ts";
import { viewJob, viewRun } from "../view/run.ts";
import { notFound } from "./failure.ts";
import { pageOf } from "./page.ts";
import { ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

const root = "/repos/{owner}/{repo}/actions";

/** Workflow runs, their jobs, and the jobs' logs. */
export const runRoutes: Route[] = [
  onRepo(`GET ${root}/runs`, "read:actions", list),
  onRepo(`GET ${root}/runs/{run_id}`, "read:actions", (call) => ok(viewRun(call.world, runOf(call)))),
  onRepo(`GET ${root}/runs/{run_id}/jobs`, "read:actions", jobs),
  onRepo(`GET ${root}/jobs/{job_id}`, "read:actions", (call) => {
    const { run, job } = jobOf(call);
    return ok(viewJob(call.world, run, job));
  }),
  onRepo(`GET ${root}/jobs/{job_id}/logs`, "read:actions", logs),
];

function runsOf(call: RepoCall): WorkflowRun[] {
  return call.world.data.runs.filter((run) => run.suite.repo === call.repo);
}

function runOf(call: RepoCall): WorkflowRun {
  const found = runsOf(call).find((run) => run.id === Number(call.params["run_id"]));
  if (!found) throw notFound();
  return found;
}

function jobOf(call: RepoCall): { run: WorkflowRun; job: Job } {
  for (const run of runsOf(call)) {
    const job = run.jobs.find((candidate) => candidate.id === Number(call.params["job_id"]));
    if (job) return { run, job };
  }
  throw notFound();
}

function list(call: RepoCall): Answer {
  const { query } = call;
  const found = runsOf(call).filter(
    (run) =>
      [run.suite.headSha, null].includes(query.get("head_sha")) &&
      [run.suite.headBranch, null].includes(query.get("branch")) &&
      [String(run.suite.id), null].includes(query.get("check_suite_id")),
  );
  return pageOf(call, found.toReversed(), (items) => ({
    total_count: found.length,
    workflow_runs: items.map((run) => viewRun(call.world, run)),
  }));
}

function jobs(call: RepoCall): Answer {
  const run = runOf(call);
  return pageOf(call, run.jobs, (items) => ({
    total_count: run.jobs.length,
    jobs: items.map((job) => viewJob(call.world, run, job)),
  }));
}

/** GitHub redirects to a signed address on another host. The stand-in redirects to its own host, to an address that only needs the id. */
function logs(call: RepoCall): Answer {
  const { job } = jobOf(call);
  return { status: 302, text: "", headers: { location: `${call.world.baseUrl()}/_logs/${job.id}` } };
}
