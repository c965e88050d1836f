import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGitHub } from "./index.ts";
import type { GitHubStandIn } from "./index.ts";
import { contradictions, populate, startReceiver } from "./testing.ts";
import type { Receiver } from "./testing.ts";

type Payload = Record<string, unknown> & { action?: string };

// The package is JSON behind a CommonJS entry that its types do not declare.
const examples = createRequire(import.meta.url)("@octokit/webhooks-examples") as {
  name: string;
  examples: Payload[];
}[];

let github: GitHubStandIn;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  github = await startGitHub();
  await populate(github, receiver.url);
  const { people } = github;
  const on = { as: "ana", repo: "acme/shop" };
  await people.createOrg({ login: "other", members: { ana: "admin" } });
  const elsewhere = await people.installApp({ app: "bellhop", on: "other" });
  await people.createRepo({ repo: "other/one" });
  await people.createRepo({ repo: "other/two" });
  await people.selectRepositories({ installation: elsewhere.id, repositories: ["one"] });
  await people.selectRepositories({ installation: elsewhere.id, repositories: ["one", "two"] });
  await people.suspendInstallation({ installation: elsewhere.id });
  await people.suspendInstallation({ installation: elsewhere.id, on: false });
  await people.uninstallApp({ installation: elsewhere.id });
  const issue = { ...on, number: (await people.openIssue({ ...on, title: "One", body: "b" })).number };
  await people.label({ ...issue, label: "bug" });
  await people.unlabel({ ...issue, label: "bug" });
  await people.assign({ ...issue, assignee: "ana" });
  await people.editIssue({ ...issue, title: "Two" });
  const { id } = await people.comment({ ...issue, body: "hello" });
  await people.editComment({ as: "ana", comment: id, body: "hello again" });
  await people.deleteComment({ as: "ana", comment: id });
  await people.closeIssue(issue);
  await people.reopenIssue(issue);
  const sha = await people.pushCommit({ ...on, branch: "fix", files: { "src/a.txt": "one\n2\n" } });
  await people.pushCommit({ ...on, branch: "next", files: {} });
  const pull = {
    ...on,
    number: (await people.openPullRequest({ ...on, title: "Fix", head: "fix", draft: true })).number,
  };
  await people.label({ ...pull, label: "bug" });
  await people.assign({ ...pull, assignee: "mallory" });
  await people.setDraft({ ...pull, draft: false });
  await people.requestReview({ ...pull, reviewer: "mallory" });
  await people.comment({ ...pull, body: "on a pull request" });
  await people.review({ ...pull, as: "mallory", comments: [{ path: "src/a.txt", line: 2, body: "why?" }] });
  await people.completeSuite({ repo: "acme/shop", sha, conclusion: "failure" });
  await people.pushCommit({ ...on, branch: "fix", files: { "src/a.txt": "one\nzwei\n" } });
  await people.retarget({ ...pull, base: "next" });
  await people.mergePullRequest(pull);
});

afterAll(async () => {
  await github?.close();
  await receiver?.close();
});

function received(event: string, action: string): Payload[] {
  const mine = receiver.received.filter(({ headers }) => headers["x-github-event"] === event);
  return mine.map(({ body }) => JSON.parse(body) as Payload).filter((payload) => payload.action === action);
}

/** Fields on the first two levels that every example has and our payload does not have. */
function lacking(ours: Payload, all: Payload[]): string[] {
  const everywhere = (of: Payload[]): string[] =>
    Object.keys(of[0] ?? {}).filter((key) => of.every((one) => key in one));
  const keys = everywhere(all);
  const below = keys.flatMap((key) => {
    const mine = ours[key];
    const theirs = all.map((one) => one[key]);
    if (!isObject(mine) || !theirs.every(isObject)) return [];
    return everywhere(theirs)
      .filter((field) => !(field in mine))
      .map((field) => `${key}.${field}`);
  });
  return [...keys.filter((key) => !(key in ours)), ...below];
}

function isObject(value: unknown): value is Payload {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Optional in Octokit's schema: GitHub sends it with issues that are pull requests. */
const optional = new Set(["issue.draft"]);

/** Octokit's schema and the examples have both types here. */
const either = /installation\.(created|updated)_at/;

describe.each([
  ["installation", "created"],
  ["installation", "suspend"],
  ["installation", "unsuspend"],
  ["installation", "deleted"],
  ["installation_repositories", "added"],
  ["installation_repositories", "removed"],
  ["issues", "opened"],
  ["issues", "labeled"],
  ["issues", "unlabeled"],
  ["issues", "assigned"],
  ["issues", "edited"],
  ["issues", "reopened"],
  ["issue_comment", "created"],
  ["issue_comment", "edited"],
  ["issue_comment", "deleted"],
  ["pull_request", "opened"],
  ["pull_request", "labeled"],
  ["pull_request", "assigned"],
  ["pull_request", "ready_for_review"],
  ["pull_request", "review_requested"],
  ["pull_request", "synchronize"],
  ["pull_request", "closed"],
  ["pull_request_review", "submitted"],
  ["pull_request_review_comment", "created"],
  ["check_suite", "completed"],
  ["workflow_run", "requested"],
  ["workflow_run", "completed"],
])("%s.%s", (event, action) => {
  it("has the fields and types of GitHub's examples", () => {
    const theirs = examples.find(({ name }) => name === event)!.examples.filter((example) => example.action === action);
    expect(theirs.length).toBeGreaterThan(0);
    const ours = received(event, action);
    expect(ours.length).toBeGreaterThan(0);
    for (const payload of ours) {
      expect(
        theirs.flatMap((example) => contradictions(payload, example)).filter((fault) => !either.test(fault)),
      ).toEqual([]);
      expect(lacking(payload, theirs).filter((field) => !optional.has(field))).toEqual([]);
      expect(payload).toHaveProperty("installation.id");
      expect(payload).toHaveProperty("sender.login");
    }
  });
});
