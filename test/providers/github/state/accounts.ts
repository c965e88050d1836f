/** A user, an organisation or an App's bot. */
export interface Account {
  id: number;
  login: string;
  type: "User" | "Organization" | "Bot";
  name: string;
  email: string;
  createdAt: string;
  /** Organisations only: members by account id, and what membership alone gives on every repository. */
  members: Map<number, "admin" | "member">;
  basePermission: Role;
}

/** GitHub's repository roles, weakest first; `none` is what a stranger has on a private repository. */
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

/** An App on an account. */
export interface Installation {
  id: number;
  app: App;
  account: Account;
  permissions: Permissions;
  events: string[];
  selection: "all" | "selected";
  /** Repository ids, where `selection` is `selected`. */
  repositoryIds: Set<number>;
  suspendedAt: string | null;
  suspendedBy: Account | null;
  createdAt: string;
}

/** A credential: an installation's (`ghs_…`) or a person's (`ghp_…`). */
export interface Token {
  value: string;
  installation: Installation | null;
  user: Account | null;
  /** Installation tokens: what was granted. */
  permissions: Permissions;
  /** Installation tokens minted for some repositories only. */
  repositoryIds: Set<number> | null;
  /** Milliseconds since 1970, or null for ever. */
  expiresAtMs: number | null;
  revoked: boolean;
}
