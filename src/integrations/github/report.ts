import type { Reporter, ReportTarget } from "../connection.ts";
import { ProviderError } from "../errors.ts";
import type { GitHubClient, WhoAmI } from "./client.ts";
import { encoder, quoter } from "./encode.ts";
import { excerpt } from "./report/excerpt.ts";

const maxPages = 20;
/** GitHub refuses longer comments. */
const maxBodyCharacters = 65_536;

/** Posts and updates our report as a comment on an issue or a pull request. */
export function reporter(client: GitHubClient, who: WhoAmI): Reporter {
  return {
    encode: encoder(client.settings.host),
    excerpt,
    quote: quoter(client.settings.host),
    hiddenMarker,
    create: async (target, body, signal) => {
      const api = await client.forRepository(target.repository, signal);
      const { data } = await api.request(
        `comment on ${nameOf(target)}`,
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
        { ...pathOf(target), issue_number: target.subjectNumber, body: bounded(body) },
        signal,
      );
      return { id: String(data.id), url: data.html_url };
    },
    update: async (target, id, body, signal) => {
      const api = await client.forRepository(target.repository, signal);
      await api.request(
        `update our comment on ${nameOf(target)}`,
        "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
        { ...pathOf(target), comment_id: Number(id), body: bounded(body) },
        signal,
      );
    },
    find: (target, marker, since, signal) => find(client, who, { target, marker, since }, signal),
  };
}

/** Wraps a marker in an HTML comment. Replaces special characters, so that the marker cannot end the comment. */
export function hiddenMarker(marker: string): string {
  return `<!-- bellhop:${marker.replace(/[^A-Za-z0-9_.:/-]/g, "_").replaceAll("--", "-_")} -->`;
}

/** Finds our comment by its marker. Looks only at comments of our own account, because anyone can write the marker. */
async function find(
  client: GitHubClient,
  who: WhoAmI,
  { target, marker, since }: { target: ReportTarget; marker: string; since: Date },
  signal: AbortSignal,
): Promise<{ id: string; url: string } | undefined> {
  const api = await client.forRepository(target.repository, signal);
  const us = await who(signal);
  const hidden = hiddenMarker(marker);
  for (let page = 1; page <= maxPages; page++) {
    const { data } = await api.request(
      `look for our comment on ${nameOf(target)}`,
      "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
      { ...pathOf(target), issue_number: target.subjectNumber, since: since.toISOString(), per_page: 100, page },
      signal,
    );
    const found = data.find(({ user, body }) => String(user?.id) === us.id && body?.includes(hidden));
    if (found) return { id: String(found.id), url: found.html_url };
    if (data.length < 100) return undefined;
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

function pathOf({ repository }: ReportTarget): { owner: string; repo: string } {
  return { owner: repository.owner, repo: repository.name };
}

function nameOf({ repository, subjectNumber }: ReportTarget): string {
  return `${repository.owner}/${repository.name}#${subjectNumber}`;
}
