import type { RepositoryRef } from "../code-host.ts";
import type { Thread, ThreadTarget } from "../connection.ts";
import { ProviderError } from "../errors.ts";
import type { Report } from "../report.ts";
import { acknowledge } from "./report/acknowledge.ts";
import type { GitHubClient, WhoAmI } from "./client.ts";
import { pages } from "./limits.ts";
import { excerpt } from "./report/excerpt.ts";
import { hiddenMarker } from "./report/hidden-marker.ts";
import { renderer } from "./report/render.ts";
import { threadCall } from "../thread-call.ts";

/** GitHub refuses longer comments. */
const maxBodyCharacters = 65_536;

/** Posts and updates our report as a comment on an issue or a pull request. */
export function thread(client: GitHubClient, who: WhoAmI): Thread {
  const { report: render } = renderer(client.settings.host);
  const bodyOf = (report: Report, marker: string): string => bounded(`${render(report)}\n\n${hiddenMarker(marker)}`);
  return {
    turn: (target, write) => client.settings.pace.ask(threadCall(target, write)),
    acknowledge: (target, signal) => acknowledge(client, target, signal),
    has: ({ source, repository }) => repository !== undefined && source.subject.number !== undefined,
    excerpt,
    post: async (target, report, marker, signal) => {
      const place = placeOf(target);
      const api = await client.forRepository(place.repository, signal);
      const { data } = await api.paced(threadCall(target, { do: "post", report }))(
        `comment on ${nameOf(place)}`,
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
        { ...pathOf(place), issue_number: place.number, body: bodyOf(report, marker) },
        signal,
      );
      return { id: String(data.id), url: data.html_url };
    },
    update: async (target, { id, marker }, report, signal) => {
      const place = placeOf(target);
      const api = await client.forRepository(place.repository, signal);
      await api.paced(threadCall(target, { do: "update", report }))(
        `update our comment on ${nameOf(place)}`,
        "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
        { ...pathOf(place), comment_id: Number(id), body: bodyOf(report, marker) },
        signal,
      );
    },
    find: (target, marker, since, signal) => find(client, who, { place: placeOf(target), marker, since }, signal),
  };
}

/** An issue or pull request. */
interface Place {
  repository: RepositoryRef;
  number: number;
}

function placeOf({ source, repository }: ThreadTarget): Place {
  const { number } = source.subject;
  if (repository && number !== undefined) return { repository, number };
  throw new TypeError("a comment needs a repository and the number of an issue or pull request");
}

/** Finds our comment by its marker. Looks only at comments of our own account, because anyone can write the marker. */
async function find(
  client: GitHubClient,
  who: WhoAmI,
  { place, marker, since }: { place: Place; marker: string; since: Date },
  signal: AbortSignal,
): Promise<{ id: string; url: string } | undefined> {
  const api = await client.forRepository(place.repository, signal);
  const us = await who(signal);
  const hidden = hiddenMarker(marker);
  for (let page = 1; page <= pages.comments; page++) {
    const { data } = await api.request(
      `look for our comment on ${nameOf(place)}`,
      "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
      { ...pathOf(place), issue_number: place.number, since: since.toISOString(), per_page: pages.size, page },
      signal,
    );
    const found = data.find(({ user, body }) => String(user?.id) === us.id && body?.includes(hidden));
    if (found) return { id: String(found.id), url: found.html_url };
    if (data.length < pages.size) return undefined;
  }
  return undefined;
}

function bounded(body: string): string {
  if (body.length <= maxBodyCharacters) return body;
  throw new ProviderError(
    "Invalid",
    `a comment of ${body.length} characters is too long for GitHub: encode its parts with a lower maxBytes`,
  );
}

function pathOf({ repository }: Place): { owner: string; repo: string } {
  return { owner: repository.owner, repo: repository.name };
}

function nameOf({ repository, number }: Place): string {
  return `${repository.owner}/${repository.name}#${number}`;
}
