import type { GitHubIntegration } from "../../api/github-integration.ts";
import type { CodeHost, RepositoryRef } from "../code-host.ts";
import { ProviderError, isProviderFailure } from "../errors.ts";
import { permissionReader } from "./authorizer.ts";
import type { Api } from "./api.ts";
import { changeTexts } from "./code-host/change-text.ts";
import { changes } from "./code-host/changes.ts";
import type { GitHubClient } from "./client.ts";
import { pushRefusal } from "./code-host/push-rules.ts";
import { repositories } from "./code-host/repositories.ts";
import { releaseChecks } from "./code-host/release-checks.ts";
import { renderer } from "./report/render.ts";

/** GitHub as a code host: branches, pull requests and tokens. */
export function codeHost(integration: GitHubIntegration, client: GitHubClient): CodeHost {
  const host = client.settings.host;
  const texts = changeTexts(renderer(host));
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
    pushRefusal: async (repository, push, signal) =>
      pushRefusal(await client.forRepository(repository, signal), repository, push, signal),
    ...changes(client, texts.render),
    bodyWith: texts.bodyWith,
    permission: permissionReader(client),
    ...repositories(integration, client),
    skipChecksTrailer: "skip-checks: true",
    releaseChecks: async (repository, release, signal) =>
      releaseChecks(await client.forRepository(repository, signal), repository, release, signal),
    coAuthor: (account) => coAuthor(account, host),
  };
}

/** A login of an unexpected form is left out, so that it cannot act in a commit message: GitHub finds the account by the id. */
function coAuthor({ id, login }: { id: string; login: string }, host: string): string {
  const name = /^[A-Za-z0-9][\w-]{0,99}(?:\[bot\])?$/.test(login) ? login : `user-${id.replace(/\D/g, "")}`;
  return `${name} <${id}+${name}@users.noreply.${host}>`;
}

/** Another repository may have taken the name of a deleted or renamed one; the id shows it. */
function replaced(host: string, { owner, name, id }: RepositoryRef): ProviderError {
  return new ProviderError(
    "NotFound",
    `${owner}/${name} at ${host} is not the repository that the task was created for (id ${id}), which was deleted or renamed`,
  );
}

/**
 * Tip and protection of a branch; undefined if there is no such branch, for example in an empty repository. For the former name of a renamed branch
 * GitHub redirects to the new one, but nothing can be pushed or merged under the former name.
 */
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
    return data.name === branch ? { sha: data.commit.sha, protected: data.protected } : undefined;
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return undefined;
    throw error;
  }
}
