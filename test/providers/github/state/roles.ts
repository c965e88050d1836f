import type { Account, Role } from "./accounts.ts";
import type { Repository } from "./repositories.ts";

const order: Role[] = ["none", "read", "triage", "write", "maintain", "admin"];

/** The strongest role of an account on a repository, as owner, by organisation, as collaborator, or because it is public. */
export function roleOf(account: Account, repo: Repository): Role {
  if (repo.owner === account) return "admin";
  const roles: Role[] = [
    repo.private ? "none" : "read",
    repo.collaborators.get(account.id) ?? "none",
    membershipRole(account, repo.owner),
  ];
  return roles.reduce((best, role) => (order.indexOf(role) > order.indexOf(best) ? role : best));
}

/** Whether `role` is at least `needed`. */
export function atLeast(role: Role, needed: Role): boolean {
  return order.indexOf(role) >= order.indexOf(needed);
}

/** GitHub's `author_association` of an account on a repository. */
export function association(account: Account, repo: Repository): string {
  if (repo.owner === account) return "OWNER";
  if (repo.owner.members.has(account.id)) return "MEMBER";
  return repo.collaborators.has(account.id) ? "COLLABORATOR" : "NONE";
}

function membershipRole(account: Account, owner: Account): Role {
  const membership = owner.members.get(account.id);
  if (!membership) return "none";
  return membership === "admin" ? "admin" : owner.basePermission;
}
