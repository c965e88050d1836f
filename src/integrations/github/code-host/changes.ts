import type { Endpoints } from "@octokit/types";
import type { Change, CodeHost, RepositoryRef } from "../../code-host.ts";
import type { ChangeText } from "../../report.ts";
import { isProviderFailure } from "../../errors.ts";
import type { Api } from "../api.ts";
import type { GitHubClient } from "../client.ts";
import { pages } from "../limits.ts";

type Pull = Pick<
  Endpoints["GET /repos/{owner}/{repo}/pulls"]["response"]["data"][number],
  "number" | "html_url" | "title" | "body" | "state" | "draft" | "merged_at" | "base" | "head" | "user"
>;
type NewChange = Pick<Change, "headRef" | "baseRef" | "title" | "body" | "draft">;

/** The methods of the code host for pull requests. */
export function changes(
  client: GitHubClient,
  render: (text: ChangeText) => { title: string; body: string },
): Pick<CodeHost, "change" | "findChange" | "isBase" | "openChange" | "updateChange"> {
  return {
    change: async (repository, number, signal) => {
      const api = await client.forRepository(repository, signal);
      try {
        const { data } = await api.request(
          `read ${named(repository)}#${number}`,
          "GET /repos/{owner}/{repo}/pulls/{pull_number}",
          { ...pathOf(repository), pull_number: number },
          signal,
        );
        return changeOf(data);
      } catch (error) {
        if (isProviderFailure(error, "NotFound")) return undefined;
        throw error;
      }
    },
    findChange: async (repository, headRef, signal) =>
      find(await client.forRepository(repository, signal), repository, headRef, signal),
    isBase: async (repository, branch, signal) => {
      const api = await client.forRepository(repository, signal);
      const { data } = await api.request(
        `look for pull requests into ${branch} in ${named(repository)}`,
        "GET /repos/{owner}/{repo}/pulls",
        { ...pathOf(repository), state: "open", base: branch, per_page: 1 },
        signal,
      );
      return data.some(({ base }) => base.ref === branch);
    },
    openChange: async (repository, change, signal) =>
      open(await client.forRepository(repository, signal), repository, { ...change, ...render(change.text) }, signal),
    updateChange: async (repository, number, { body }, signal) => {
      const api = await client.forRepository(repository, signal);
      await api.request(
        `update ${named(repository)}#${number}`,
        "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
        { ...pathOf(repository), pull_number: number, body },
        signal,
      );
    },
  };
}

/**
 * Opens a pull request or returns the existing one. GitHub answers 422 to a second pull request for the same head, and to a draft if the
 * plan has no drafts (then it is opened without draft). Any other 422 is an error.
 */
async function open(api: Api, repository: RepositoryRef, change: NewChange, signal: AbortSignal): Promise<Change> {
  try {
    return await create(api, repository, change, signal);
  } catch (error) {
    if (!isProviderFailure(error, "Invalid")) throw error;
    const existing = await find(api, repository, change.headRef, signal);
    if (existing) return existing;
    if (change.draft && error.says(/draft/i)) {
      return create(api, repository, { ...change, draft: false }, signal);
    }
    throw error;
  }
}

async function create(api: Api, repository: RepositoryRef, change: NewChange, signal: AbortSignal): Promise<Change> {
  const { headRef: head, baseRef: base, title, body, draft } = change;
  const { data } = await api.request(
    `open a pull request from ${head} in ${named(repository)}`,
    "POST /repos/{owner}/{repo}/pulls",
    { ...pathOf(repository), head, base, title, body, draft },
    signal,
  );
  return changeOf(data);
}

async function find(
  api: Api,
  repository: RepositoryRef,
  headRef: string,
  signal: AbortSignal,
): Promise<Change | undefined> {
  const { data } = await api.request(
    `look for a pull request from ${headRef} in ${named(repository)}`,
    "GET /repos/{owner}/{repo}/pulls",
    { ...pathOf(repository), state: "open", head: `${repository.owner}:${headRef}`, per_page: pages.size },
    signal,
  );
  return data.map(changeOf).find((change) => change.headRef === headRef && change.sameRepository);
}

function changeOf(pull: Pull): Change {
  const state = pull.merged_at ? "Merged" : pull.state === "open" ? "Open" : "Closed";
  return {
    number: pull.number,
    url: pull.html_url,
    title: pull.title,
    body: pull.body ?? "",
    state,
    draft: pull.draft ?? false,
    baseRef: pull.base.ref,
    headRef: pull.head.ref,
    headSHA: pull.head.sha,
    // The head of a deleted fork has no repository.
    sameRepository: (pull.head.repo as { id: number } | null)?.id === pull.base.repo.id,
    author: { id: String(pull.user?.id ?? ""), login: pull.user?.login ?? "ghost" },
  };
}

function pathOf({ owner, name }: RepositoryRef): { owner: string; repo: string } {
  return { owner, repo: name };
}

function named({ owner, name }: RepositoryRef): string {
  return `${owner}/${name}`;
}
