import { resolveRevision } from "../git/repository.ts";
import { actorOf } from "../auth.ts";
import type { CheckRun, CheckSuite, Conclusion } from "../state/checks.ts";
import { newId, timestamp } from "../state/world.ts";
import { viewCheckRun, viewStatus, viewSuite } from "../view/check.ts";
import { optionalString, record, requiredString } from "./body.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { pageOf } from "./page.ts";
import { created, ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

const root = "/repos/{owner}/{repo}";

/** Check runs, check suites and commit statuses. */
export const checkRoutes: Route[] = [
  onRepo(`GET ${root}/commits/{ref}/check-runs`, "read:checks", list),
  onRepo(`GET ${root}/commits/{ref}/check-suites`, "read:checks", listSuites),
  onRepo(`GET ${root}/check-suites/{check_suite_id}`, "read:checks", (call) =>
    ok(viewSuite(call.world, suiteOf(call))),
  ),
  onRepo(`GET ${root}/check-suites/{check_suite_id}/check-runs`, "read:checks", listOfSuite),
  onRepo(`GET ${root}/check-runs/{check_run_id}`, "read:checks", (call) =>
    ok(viewCheckRun(call.world, checkRunOf(call))),
  ),
  onRepo(`POST ${root}/check-runs`, "write:checks", create),
  onRepo(`PATCH ${root}/check-runs/{check_run_id}`, "write:checks", update),
  onRepo(`POST ${root}/statuses/{sha}`, "write:statuses", createStatus),
];

async function shaOf(call: RepoCall): Promise<string> {
  const ref = call.params["ref"] ?? "";
  const sha = await resolveRevision(call.repo.dir, `${ref}^{commit}`);
  if (sha === undefined) throw new HttpFailure(422, `No commit found for SHA: ${ref}`);
  return sha;
}

async function list(call: RepoCall): Promise<Answer> {
  const sha = await shaOf(call);
  return page(
    call,
    call.world.data.checkRuns.filter((run) => run.repo === call.repo && run.headSha === sha),
  );
}

function listOfSuite(call: RepoCall): Answer {
  const suite = suiteOf(call);
  return page(
    call,
    call.world.data.checkRuns.filter((run) => run.suiteId === suite.id),
  );
}

function page(call: RepoCall, runs: CheckRun[]): Answer {
  return pageOf(call, runs, (items) => ({
    total_count: runs.length,
    check_runs: items.map((run) => viewCheckRun(call.world, run)),
  }));
}

async function listSuites(call: RepoCall): Promise<Answer> {
  const sha = await shaOf(call);
  const suites = call.world.data.suites.filter((suite) => suite.repo === call.repo && suite.headSha === sha);
  return pageOf(call, suites, (items) => ({
    total_count: suites.length,
    check_suites: items.map((suite) => viewSuite(call.world, suite)),
  }));
}

function suiteOf(call: RepoCall): CheckSuite {
  const id = Number(call.params["check_suite_id"]);
  const found = call.world.data.suites.find((suite) => suite.id === id && suite.repo === call.repo);
  if (!found) throw notFound();
  return found;
}

function checkRunOf(call: RepoCall): CheckRun {
  const id = Number(call.params["check_run_id"]);
  const found = call.world.data.checkRuns.find((run) => run.id === id && run.repo === call.repo);
  if (!found) throw notFound();
  return found;
}

function create(call: RepoCall): Answer {
  const actor = actorOf(call.identity);
  if (!actor.app) throw new HttpFailure(403, "You must authenticate via a GitHub App.");
  const run: CheckRun = {
    id: newId(call.world),
    repo: call.repo,
    headSha: requiredString(call.body, "head_sha", "CheckRun"),
    suiteId: newId(call.world),
    appId: actor.app.id,
    name: requiredString(call.body, "name", "CheckRun"),
    status: "queued",
    conclusion: null,
    externalId: "",
    detailsUrl: null,
    output: { title: null, summary: null, text: null },
    startedAt: timestamp(call.world),
    completedAt: null,
  };
  change(call, run);
  call.world.data.checkRuns.push(run);
  return created(viewCheckRun(call.world, run));
}

function update(call: RepoCall): Answer {
  const run = checkRunOf(call);
  if (actorOf(call.identity).app?.id !== run.appId)
    throw new HttpFailure(
      403,
      "Invalid app_id `null` - check run can only be modified by the GitHub App that created it.",
    );
  change(call, run);
  return ok(viewCheckRun(call.world, run));
}

function change(call: RepoCall, run: CheckRun): void {
  const { body } = call;
  const output = record(body["output"]);
  run.externalId = optionalString(body, "external_id") ?? run.externalId;
  run.detailsUrl = optionalString(body, "details_url") ?? run.detailsUrl;
  run.status = (optionalString(body, "status") as CheckRun["status"] | undefined) ?? run.status;
  run.conclusion = (optionalString(body, "conclusion") as Conclusion | undefined) ?? run.conclusion;
  if (run.conclusion !== null) run.status = "completed";
  if (run.status === "completed") run.completedAt ??= timestamp(call.world);
  run.output = {
    title: optionalString(output, "title") ?? run.output.title,
    summary: optionalString(output, "summary") ?? run.output.summary,
    text: optionalString(output, "text") ?? run.output.text,
  };
}

function createStatus(call: RepoCall): Answer {
  const status = {
    id: newId(call.world),
    repo: call.repo,
    sha: call.params["sha"] ?? "",
    state: requiredString(call.body, "state", "Status"),
    context: optionalString(call.body, "context") ?? "default",
    description: optionalString(call.body, "description") ?? null,
    targetUrl: optionalString(call.body, "target_url") ?? null,
    creator: actorOf(call.identity).account,
    createdAt: timestamp(call.world),
  };
  call.world.data.statuses.push(status);
  return created(viewStatus(call.world, status));
}
