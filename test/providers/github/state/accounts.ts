/** A user, an organisation or an App's bot. */
export interface Account {
  id: number;
  login: string;
  type: "User" | "Organization" | "Bot";
  name: string;
  email: string;
  createdAt: string;
  /** Organisations only: members by account id, and the permission of all members on every repository. */
  members: Map<number, "admin" | "member">;
  basePermission: Role;
}

/** GitHub's repository roles, weakest first; `none` is the role of other people on a private repository. */
export type Role = "none" | "read" | "triage" | "write" | "maintain" | "admin";

/** Access levels of an App's or token's permission, weakest first. */
export type Level = "read" | "write" | "admin";

/** Permission name (`contents`, `issues`, …) to level, as in GitHub's `app-permissions`. */
export type Permissions = Record<string, Level>;

/** A GitHub App, its key pair (PEM) and its bot account. */
export interface App {
  id: number;
  slug: string;
  name: string;
  clientId: string;
  owner: Account;
  bot: Account;
  permissions: Permissions;
  events: string[];
  privateKey: string;
  publicKey: string;
  createdAt: string;
}

/** An installation of an App on an account. */
export interface Installation {
  id: number;
  app: App;
  account: Account;
  permissions: Permissions;
  events: string[];
  selection: "all" | "selected";
  /** Repository ids, if `selection` is `selected`. */
  repositoryIds: Set<number>;
  suspendedAt: string | null;
  suspendedBy: Account | null;
  createdAt: string;
}

/** A token of an installation (`ghs_…`) or of a person (`ghp_…`). */
export interface Token {
  value: string;
  installation: Installation | null;
  user: Account | null;
  /** For installation tokens: the granted permissions. */
  permissions: Permissions;
  /** For installation tokens that are limited to some repositories: their ids. */
  repositoryIds: Set<number> | null;
  /** Milliseconds since 1970, or null if it never expires. */
  expiresAtMs: number | null;
  revoked: boolean;
}
