import type { Account, Role } from "./accounts.ts";

/** A repository; its objects are in the bare git repository at `dir`. */
export interface Repository {
  id: number;
  owner: Account;
  name: string;
  private: boolean;
  description: string | null;
  defaultBranch: string;
  archived: boolean;
  parent: Repository | null;
  dir: string;
  /** Direct collaborators by account id. */
  collaborators: Map<number, Role>;
  labels: Map<string, Label>;
  protectedBranches: Set<string>;
  /** The number of the next issue or pull request. */
  nextNumber: number;
  createdAt: string;
  updatedAt: string;
  pushedAt: string;
}

/** A label of a repository. */
export interface Label {
  id: number;
  name: string;
  color: string;
  description: string | null;
  default: boolean;
}

/** `owner/name`. */
export function fullName(repo: Repository): string {
  return `${repo.owner.login}/${repo.name}`;
}
