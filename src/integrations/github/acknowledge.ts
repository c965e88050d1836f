import type { Acknowledger } from "../connection.ts";
import type { TaskSource } from "../../api/agent-task.ts";
import type { GitHubClient } from "./client.ts";

const content = "eyes";

/**
 * Puts an `eyes` reaction on what rang; GitHub answers 200 where it is there already. Checks have nothing to react to. Reactions go before
 * reports and changes: they tell a person at once that the bell was heard.
 */
export function acknowledger(client: GitHubClient): Acknowledger {
  return {
    react: async (source, repository, signal) => {
      const place = placeOf(source);
      if (!place) return;
      const api = await client.forRepository(repository, signal);
      const { owner, name: repo } = repository;
      const doing = `react to ${source.subject.key}`;
      if (place.on === "comment") {
        const route = "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions";
        await api.first(doing, route, { owner, repo, comment_id: place.id, content }, signal);
      } else if (place.on === "reviewComment") {
        const route = "POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions";
        await api.first(doing, route, { owner, repo, comment_id: place.id, content }, signal);
      } else {
        const route = "POST /repos/{owner}/{repo}/issues/{issue_number}/reactions";
        await api.first(doing, route, { owner, repo, issue_number: place.id, content }, signal);
      }
    },
  };
}

interface Place {
  on: "comment" | "reviewComment" | "issue";
  id: number;
}

/** A review has no reactions of its own in the REST API: its pull request gets it. */
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
