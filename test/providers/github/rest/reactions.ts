import { actorOf } from "../auth.ts";
import { react } from "../actions/issues.ts";
import { reactionContents } from "../state/issues.ts";
import type { Reaction } from "../state/issues.ts";
import { viewReaction } from "../view/issue.ts";
import { commentOf } from "./comments.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { issueOf } from "./issues.ts";
import { pageOf } from "./page.ts";
import { reviewCommentOf } from "./review-comments.ts";
import { noContent, onRepo } from "./route.ts";
import type { Access, Answer, RepoCall, Route } from "./route.ts";

interface Target {
  path: string;
  permissions: string;
  find: (call: RepoCall) => { reactions: Reaction[] };
}

const root = "/repos/{owner}/{repo}";
const targets: Target[] = [
  { path: `${root}/issues/{issue_number}/reactions`, permissions: "issues|pull_requests", find: issueOf },
  { path: `${root}/issues/comments/{comment_id}/reactions`, permissions: "issues|pull_requests", find: commentOf },
  { path: `${root}/pulls/comments/{comment_id}/reactions`, permissions: "pull_requests", find: reviewCommentOf },
];

/** Reactions on issues, comments and review comments. */
export const reactionRoutes: Route[] = targets.flatMap(({ path, permissions, find }) => {
  const write: Access = `write:${permissions}`;
  return [
    onRepo(`GET ${path}`, `read:${permissions}`, (call) => list(call, find(call))),
    onRepo(`POST ${path}`, write, (call) => create(call, find(call))),
    onRepo(`DELETE ${path}/{reaction_id}`, write, (call) => remove(call, find(call))),
  ];
});

function list(call: RepoCall, target: { reactions: Reaction[] }): Answer {
  const content = call.query.get("content");
  const found = target.reactions.filter((reaction) => content === null || reaction.content === content);
  return pageOf(call, found, (items) => items.map((reaction) => viewReaction(call.world, reaction)));
}

/** Answers 201, or 200 if the caller had already added this reaction. */
function create(call: RepoCall, target: { reactions: Reaction[] }): Answer {
  const content = String(call.body["content"]);
  if (!reactionContents.some((allowed) => allowed === content)) {
    throw new HttpFailure(422, "Validation Failed", {
      errors: [{ resource: "Reaction", field: "content", code: "invalid" }],
    });
  }
  const { reaction, created } = react(call.world, actorOf(call.identity), target, content);
  return { status: created ? 201 : 200, body: viewReaction(call.world, reaction) };
}

function remove(call: RepoCall, target: { reactions: Reaction[] }): Answer {
  const at = target.reactions.findIndex((reaction) => reaction.id === Number(call.params["reaction_id"]));
  if (at === -1) throw notFound();
  target.reactions.splice(at, 1);
  return noContent;
}
