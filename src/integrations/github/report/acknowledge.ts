import type { ThreadTarget } from "../../connection.ts";
import type { TaskSource } from "../../../api/agent-task.ts";
import { threadCall } from "../../thread-call.ts";
import type { GitHubClient } from "../client.ts";

const content = "eyes";

/**
 * Adds an `eyes` reaction to the object that triggered the task. GitHub answers 200 if the reaction already exists. Checks cannot have
 * reactions. Reactions go before reports and changes, because they show people at once that Bellhop received their request.
 */
export async function acknowledge(client: GitHubClient, target: ThreadTarget, signal: AbortSignal): Promise<void> {
  const { source, repository } = target;
  const place = placeOf(source);
  if (!place || !repository) return;
  const api = await client.forRepository(repository, signal);
  const request = api.paced(threadCall(target, { do: "acknowledge" }));
  const { owner, name: repo } = repository;
  const doing = `react to ${source.subject.key}`;
  if (place.on === "comment") {
    const route = "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions";
    await request(doing, route, { owner, repo, comment_id: place.id, content }, signal);
  } else if (place.on === "reviewComment") {
    const route = "POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions";
    await request(doing, route, { owner, repo, comment_id: place.id, content }, signal);
  } else {
    const route = "POST /repos/{owner}/{repo}/issues/{issue_number}/reactions";
    await request(doing, route, { owner, repo, issue_number: place.id, content }, signal);
  }
}

interface Place {
  on: "comment" | "reviewComment" | "issue";
  id: number;
}

/** The REST API has no reactions on reviews, so the pull request of the review gets the reaction. */
function placeOf({ object, subject }: TaskSource): Place | undefined {
  if (!object) return undefined;
  const places: Partial<Record<typeof object.type, Place["on"]>> = {
    IssueComment: "comment",
    ReviewComment: "reviewComment",
    Issue: "issue",
    Change: "issue",
    Review: "issue",
  };
  const on = places[object.type];
  if (on === "issue") return subject.number === undefined ? undefined : { on, id: subject.number };
  return on && { on, id: Number(object.id) };
}
