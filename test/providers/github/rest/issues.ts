import { actorOf } from "../auth.ts";
import { assign, editIssue, openIssue, setState } from "../actions/issues.ts";
import { addLabels, removeLabel } from "../actions/labels.ts";
import { findAccount, findIssue } from "../state/find.ts";
import type { Issue } from "../state/issues.ts";
import { viewIssue, viewLabel } from "../view/issue.ts";
import { optionalString, requiredString, stringList } from "./body.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { pageOf } from "./page.ts";
import { created, ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

const root = "/repos/{owner}/{repo}/issues";
const write = "write:issues|pull_requests";
const read = "read:issues|pull_requests";

/** Issues and their labels; these routes serve pull requests too. */
export const issueRoutes: Route[] = [
  onRepo(`GET ${root}`, read, list),
  onRepo(`POST ${root}`, "write:issues", create),
  onRepo(`GET ${root}/{issue_number}`, read, (call) => ok(viewIssue(call.world, issueOf(call)))),
  onRepo(`PATCH ${root}/{issue_number}`, write, update),
  onRepo(`GET ${root}/{issue_number}/labels`, read, (call) => ok(labelsOf(call))),
  onRepo(`POST ${root}/{issue_number}/labels`, write, add),
  onRepo(`DELETE ${root}/{issue_number}/labels/{name}`, write, remove),
  onRepo(`POST ${root}/{issue_number}/assignees`, write, addAssignees),
  onRepo("GET /repos/{owner}/{repo}/labels", read, listLabels),
];

/** The issue or pull request that the path names. */
export function issueOf(call: RepoCall): Issue {
  const found = findIssue(call.world, call.repo, Number(call.params["issue_number"]));
  if (!found) throw notFound();
  return found;
}

function list(call: RepoCall): Answer {
  const { query } = call;
  const state = query.get("state") ?? "open";
  const since = query.get("since");
  const labels = query.get("labels")?.split(",") ?? [];
  const found = call.world.data.issues.filter(
    (issue) =>
      issue.repo === call.repo &&
      (state === "all" || issue.state === state) &&
      (since === null || issue.updatedAt >= since) &&
      labels.every((name) => issue.labels.some((label) => label.name === name)),
  );
  return pageOf(call, found.toReversed(), (items) => items.map((issue) => viewIssue(call.world, issue)));
}

function create(call: RepoCall): Answer {
  const title = requiredString(call.body, "title", "Issue");
  const actor = actorOf(call.identity);
  const issue = openIssue(call.world, actor, call.repo, { title, body: optionalString(call.body, "body") ?? null });
  addLabels(call.world, actor, issue, stringList(call.body["labels"]) ?? []);
  return created(viewIssue(call.world, issue));
}

function update(call: RepoCall): Answer {
  const issue = issueOf(call);
  const actor = actorOf(call.identity);
  const { body } = call;
  editIssue(call.world, actor, issue, { title: optionalString(body, "title"), body: optionalString(body, "body") });
  if (body["state"] === "open" || body["state"] === "closed") setState(call.world, actor, issue, body["state"]);
  const labels = stringList(body["labels"]);
  if (labels) {
    const gone = issue.labels.filter((label) => !labels.includes(label.name));
    for (const label of gone) removeLabel(call.world, actor, issue, label.name);
    addLabels(call.world, actor, issue, labels);
  }
  return ok(viewIssue(call.world, issue));
}

function labelsOf(call: RepoCall): Record<string, unknown>[] {
  return issueOf(call).labels.map((label) => viewLabel(call.world, call.repo, label));
}

function add(call: RepoCall): Answer {
  addLabels(call.world, actorOf(call.identity), issueOf(call), stringList(call.body["labels"]) ?? []);
  return ok(labelsOf(call));
}

function remove(call: RepoCall): Answer {
  const removed = removeLabel(call.world, actorOf(call.identity), issueOf(call), call.params["name"] ?? "");
  if (!removed) throw new HttpFailure(404, "Label does not exist");
  return ok(labelsOf(call));
}

/** Ignores accounts that cannot be assigned (Apps, people without access), as GitHub does. */
function addAssignees(call: RepoCall): Answer {
  const issue = issueOf(call);
  for (const login of stringList(call.body["assignees"]) ?? []) {
    const account = findAccount(call.world, login);
    if (account?.type === "User") assign(call.world, actorOf(call.identity), issue, account);
  }
  return created(viewIssue(call.world, issue));
}

function listLabels(call: RepoCall): Answer {
  const labels = [...call.repo.labels.values()];
  return pageOf(call, labels, (items) => items.map((label) => viewLabel(call.world, call.repo, label)));
}
