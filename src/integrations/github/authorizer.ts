import type { GitHubIntegration } from "../../api/github-integration.ts";
import { permissions, type CodeHost, type Permission, type RepositoryRef } from "../code-host.ts";
import type { Authorizer } from "../connection.ts";
import { isProviderFailure } from "../errors.ts";
import type { Api } from "./api.ts";
import type { GitHubClient } from "./client.ts";

const roles: Record<string, Permission> = {
  none: "None",
  read: "Read",
  triage: "Triage",
  write: "Write",
  maintain: "Maintain",
  admin: "Admin",
};

/** Decides by the permission on the repository who may start tasks. */
export function authorizer({ spec }: GitHubIntegration, client: GitHubClient): Authorizer {
  const needed = spec.access.permission;
  return {
    may: async ({ actor, repository }, signal) => {
      const needs = `${needed.toLowerCase()} access or higher`;
      if (!repository) return { allowed: false, isBot: false, login: actor.login, has: "no repository", needs };
      const { permission, login, isBot } = await permissionOrNone(client, repository, actor, signal);
      const level = permission === "None" ? "no" : permission.toLowerCase();
      // A bot has no role on a repository, and the administrator of the integration vouches for it.
      if (isBot && spec.access.bots?.some(({ id }) => id === actor.id))
        return { allowed: true, isBot, login, has: "an entry in spec.access.bots", needs };
      return {
        allowed: !isBot && permissions.indexOf(permission) >= permissions.indexOf(needed),
        isBot,
        login,
        has: `${level} access on ${repository.owner}/${repository.name}`,
        needs,
      };
    },
  };
}

/** Nobody has access to a repository that was deleted, or that the App is not installed on any more. */
async function permissionOrNone(
  client: GitHubClient,
  repository: RepositoryRef,
  actor: { id: string; login: string },
  signal: AbortSignal,
): ReturnType<CodeHost["permission"]> {
  try {
    return await permissionReader(client)(repository, actor, signal);
  } catch (error) {
    if (!isProviderFailure(error, "NotFound")) throw error;
    return { permission: "None", login: actor.login, isBot: false };
  }
}

/**
 * Looks up the permission of a person. A login can pass to another account, so the id identifies the person: the login is looked up by
 * id, and the id in the answer must be the same.
 */
export function permissionReader(client: GitHubClient): CodeHost["permission"] {
  return async (repository, actor, signal) => {
    const api = await client.forRepository(repository, signal);
    const account = await accountById(api, actor.id, signal);
    if (!account) return { permission: "None", login: actor.login, isBot: false };
    // Apps have no role on a repository; GitHub answers 404 for them.
    if (account.isBot) return { permission: "None", login: account.login, isBot: true };
    const permission = await permissionOf(api, repository, { id: actor.id, login: account.login }, signal);
    return { permission, login: account.login, isBot: false };
  };
}

/** The role of an account on a repository; `None` if the login belongs to another account now. */
export async function permissionOf(
  api: Api,
  { owner, name }: RepositoryRef,
  actor: { id: string; login: string },
  signal: AbortSignal,
): Promise<Permission> {
  try {
    const { data } = await api.request(
      `read the permission of ${actor.login} on ${owner}/${name}`,
      "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
      { owner, repo: name, username: actor.login },
      signal,
    );
    if (String(data.user?.id) !== actor.id) return "None";
    // A custom role has its own name in `role_name`; `permission` is the role that it is based on.
    return roles[data.role_name] ?? roles[data.permission] ?? "None";
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return "None";
    throw error;
  }
}

async function accountById(
  api: Api,
  id: string,
  signal: AbortSignal,
): Promise<{ login: string; isBot: boolean } | undefined> {
  try {
    const { data } = await api.request(
      `look up account ${id}`,
      "GET /user/{account_id}",
      { account_id: Number(id) },
      signal,
    );
    return { login: data.login, isBot: data.type === "Bot" };
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return undefined;
    throw error;
  }
}
