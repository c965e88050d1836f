import type { Identity } from "../auth.ts";
import type { Level, Role } from "../state/accounts.ts";
import { covers, findAccount, findRepository } from "../state/find.ts";
import type { Repository } from "../state/repositories.ts";
import { atLeast, roleOf } from "../state/roles.ts";
import { HttpFailure, notFound } from "./failure.ts";
import type { Access, Call, RepoCall } from "./route.ts";

const levels: Level[] = ["read", "write", "admin"];

/** Permits a call or throws GitHub's refusal. Also finds the repository of the path. */
export function admit(access: Access, call: Call): Call {
  const { identity } = call;
  if (access === "everyone") return call;
  if (access === "app") return requireApp(call);
  if (identity.kind === "anonymous") {
    if (!call.params["repo"]) throw new HttpFailure(401, "Requires authentication");
  } else if (identity.kind === "app") throw forbidden();
  if (access === "installation" && identity.kind !== "installation") throw forbiddenToUsers();
  if (access === "user" && identity.kind !== "user") throw forbidden();
  if (access === "installation" || access === "user" || access === "member") return call;
  const [level, names] = access.split(":") as [Level, string];
  if (access.startsWith("org:")) return requireOrganization(call, names as Level);
  const repo = visibleRepository(call);
  requirePermission(identity, repo, { level, names: names.split("|") });
  if (repo.archived && level !== "read") throw new HttpFailure(403, "Repository was archived so is read-only.");
  const admitted: RepoCall = { ...call, repo };
  return admitted;
}

/** Whether a caller may see that a repository exists. */
export function canSee(identity: Identity, repo: Repository): boolean {
  if (!repo.private) return true;
  if (identity.kind === "user") return atLeast(roleOf(identity.user, repo), "read");
  return identity.kind === "installation" && reaches(identity, repo);
}

/** Whether a caller has one of these permissions at the given level. */
export function mayDo(identity: Identity, repo: Repository, need: { level: Level; names: string[] }): boolean {
  if (identity.kind === "installation") {
    if (need.level === "read" && !repo.private) return true;
    return reaches(identity, repo) && need.names.some((name) => has(identity.token.permissions[name], need.level));
  }
  if (identity.kind !== "user") return need.level === "read" && !repo.private;
  return atLeast(roleOf(identity.user, repo), roleFor(need));
}

/** The `permissions` field of a repository: the caller's own permissions. */
export function permissionsOf(identity: Identity, repo: Repository): Record<string, boolean> {
  const may = (role: Role, installed: boolean): boolean =>
    identity.kind === "user" ? atLeast(roleOf(identity.user, repo), role) : installed;
  const push = mayDo(identity, repo, { level: "write", names: ["contents"] });
  return {
    admin: may("admin", false),
    maintain: may("maintain", false),
    push: may("write", push),
    triage: may("triage", push),
    pull: may("read", true),
  };
}

function requireApp(call: Call): Call {
  if (call.identity.kind === "app") return call;
  throw new HttpFailure(401, "A JSON web token could not be decoded");
}

/** `call.params` names either `owner` and `repo`, or the repository's id. */
function visibleRepository(call: Call): Repository {
  const { owner, repo: name, repository_id: id } = call.params;
  const repo =
    id === undefined
      ? findRepository(call.world, `${owner}/${name}`)
      : call.world.data.repositories.find((candidate) => candidate.id === Number(id));
  if (!repo || !canSee(call.identity, repo)) throw notFound();
  return repo;
}

function requirePermission(identity: Identity, repo: Repository, need: { level: Level; names: string[] }): void {
  if (mayDo(identity, repo, need)) return;
  if (identity.kind === "installation") throw forbidden();
  if (identity.kind === "anonymous") throw new HttpFailure(401, "Requires authentication");
  // GitHub answers 404 if administration is needed, and names the missing permission otherwise.
  throw need.names.includes("repository_hooks")
    ? notFound()
    : new HttpFailure(403, "Must have push access to repository");
}

function requireOrganization(call: Call, level: Level): Call {
  const org = findAccount(call.world, call.params["org"] ?? "");
  if (!org || org.type !== "Organization") throw notFound();
  const { identity } = call;
  if (identity.kind === "user" && org.members.get(identity.user.id) === "admin") return call;
  if (identity.kind !== "installation" || identity.installation.account !== org) throw notFound();
  if (!has(identity.token.permissions["organization_hooks"], level)) throw forbidden();
  return call;
}

function reaches(identity: Identity & { kind: "installation" }, repo: Repository): boolean {
  const { installation, token } = identity;
  return covers(installation, repo) && (token.repositoryIds === null || token.repositoryIds.has(repo.id));
}

function has(granted: Level | undefined, needed: Level): boolean {
  return granted !== undefined && levels.indexOf(granted) >= levels.indexOf(needed);
}

/** The role that a person needs: read to read, comment and open issues, admin for hooks, write for everything else. */
function roleFor(need: { level: Level; names: string[] }): "read" | "triage" | "write" | "admin" {
  if (need.names.includes("repository_hooks") || need.level === "admin") return "admin";
  if (need.level === "read" || need.names.includes("issues") || need.names.includes("pull_requests")) return "read";
  return "write";
}

function forbidden(): HttpFailure {
  return new HttpFailure(403, "Resource not accessible by integration");
}

function forbiddenToUsers(): HttpFailure {
  return new HttpFailure(
    403,
    "You must authenticate with an installation access token in order to list repositories for an installation.",
  );
}
