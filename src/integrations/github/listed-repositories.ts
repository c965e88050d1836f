import type { GitHubIntegration } from "../../api/github-integration.ts";
import { ProviderError } from "../errors.ts";
import type { GitHubClient } from "./client.ts";
import { idOfListed } from "./scope.ts";

/**
 * The ids of the repositories that the spec names. An id that is known stays: the name may belong to another repository by now. A repository
 * that cannot be read now is left out, is covered by its name meanwhile, and is read again at the next check.
 */
export async function listedRepositories(
  { spec, status }: GitHubIntegration,
  client: GitHubClient,
  signal: AbortSignal,
): Promise<{ repositories?: { name: string; id: string }[] }> {
  if (!spec.repositories && !status?.repositories) return {};
  const repositories: { name: string; id: string }[] = [];
  for (const name of spec.repositories ?? []) {
    const id = idOfListed(status, name) ?? (await idOf(client, name, signal));
    if (id !== undefined) repositories.push({ name, id });
  }
  return { repositories };
}

async function idOf(client: GitHubClient, fullName: string, signal: AbortSignal): Promise<string | undefined> {
  const [owner = "", repo = ""] = fullName.split("/");
  try {
    const api = await client.forOwner(owner, signal);
    const { data } = await api.request(`read ${fullName}`, "GET /repos/{owner}/{repo}", { owner, repo }, signal);
    // GitHub also answers with a renamed repository for its old name, which may be free for another one.
    const isSame = `${data.owner.login}/${data.name}`.toLowerCase() === fullName.toLowerCase();
    return isSame ? String(data.id) : undefined;
  } catch (error) {
    if (error instanceof ProviderError) return undefined;
    throw error;
  }
}
