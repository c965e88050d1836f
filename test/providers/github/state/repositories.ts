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
  rulesets: Ruleset[];
  /** Texts that push protection takes for secrets. */
  secrets: string[];
  /** False on plans without draft pull requests. */
  hasDrafts: boolean;
  /** Former names of renamed branches, with the new ones. */
  renamedBranches: Map<string, string>;
  /** `owner/name` that it had before, in lower case. */
  formerNames: string[];
  /** The number of the next issue or pull request. */
  nextNumber: number;
  createdAt: string;
  updatedAt: string;
  pushedAt: string;
}

/** A ruleset for branches. Only rules that the stand-in enforces can be in one. */
export interface Ruleset {
  id: number;
  name: string;
  /** Prefix of the branches that it applies to, for example `bellhop/`; empty for all. */
  prefix: string;
  rule: RulesetRule;
  /** Ids of Apps that may bypass it. */
  bypass: number[];
}

/** A rule of a ruleset, as GitHub names it. */
export type RulesetRule =
  | { type: "creation" }
  | { type: "required_signatures" }
  | { type: "update"; parameters: { update_allows_fetch_and_merge: boolean } }
  | {
      type: "branch_name_pattern";
      parameters: { operator: "starts_with" | "ends_with" | "contains"; pattern: string; negate: boolean };
    };

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
