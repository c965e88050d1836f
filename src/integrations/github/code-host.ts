import type { CodeHost, RepositoryRef } from "../connection.ts";
import { ProviderError, isProviderFailure } from "../errors.ts";
import type { Api } from "./api.ts";
import { changes } from "./code-host/changes.ts";
import type { GitHubClient } from "./client.ts";
import { releaseChecks } from "./code-host/release-checks.ts";

/** Branches, pull requests and tokens of GitHub. */
export function codeHost(client: GitHubClient): CodeHost {
  const host = client.settings.host;
  return {
    repository: async (ref, signal) => {
      const api = await client.forRepository(ref, signal);
      const { data } = await api.request(
        `read ${ref.owner}/${ref.name}`,
        "GET /repos/{owner}/{repo}",
        { owner: ref.owner, repo: ref.name },
        signal,
      );
      if (String(data.id) !== ref.id) throw replaced(host, ref);
      const now = { id: ref.id, host: ref.host, owner: data.owner.login, name: data.name };
      return {
        ...now,
        private: data.private,
        defaultBranch: data.default_branch,
        archived: data.archived,
        empty: (await branchOf(api, now, data.default_branch, signal)) === undefined,
        cloneURL: data.clone_url,
      };
    },
    mintToken: client.mintToken,
    revokeToken: client.revokeToken,
    branch: async (repository, name, signal) =>
      branchOf(await client.forRepository(repository, signal), repository, name, signal),
    ...changes(client),
    closingWords: (subjectNumber) => `Fixes #${subjectNumber}`,
    skipChecksTrailer: "skip-checks: true",
    releaseChecks: async (repository, release, signal) =>
      releaseChecks(await client.forRepository(repository, signal), repository, release, signal),
    coAuthor: ({ id, login }) => `${login} <${id}+${login}@users.noreply.${host}>`,
  };
}

/** A repository that was renamed away and another that took its name: the id tells them apart. */
function replaced(host: string, { owner, name, id }: RepositoryRef): ProviderError {
  return new ProviderError(
    "NotFound",
    `${owner}/${name} at ${host} is another repository than the one the task was made for (id ${id}), which is gone or was renamed`,
  );
}

/** Tip and protection of a branch; undefined where there is no such branch, as in an empty repository. */
export async function branchOf(
  api: Api,
  { owner, name }: Pick<RepositoryRef, "owner" | "name">,
  branch: string,
  signal: AbortSignal,
): Promise<{ sha: string; protected: boolean } | undefined> {
  try {
    const { data } = await api.request(
      `read branch ${branch} of ${owner}/${name}`,
      "GET /repos/{owner}/{repo}/branches/{branch}",
      { owner, repo: name, branch },
      signal,
    );
    return { sha: data.commit.sha, protected: data.protected };
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return undefined;
    throw error;
  }
}
