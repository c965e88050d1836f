import type { Identity } from "../auth.ts";
import type { Repository, Ruleset, RulesetRule } from "./repositories.ts";

/** The rulesets that apply to a branch. */
export function rulesetsFor({ rulesets }: Repository, branch: string): Ruleset[] {
  return rulesets.filter(({ prefix }) => branch.startsWith(prefix));
}

/** Whether the caller may bypass a ruleset: Apps that it lists. */
export function mayBypass(identity: Identity, { bypass }: Ruleset): boolean {
  return identity.kind === "installation" && bypass.includes(identity.installation.app.id);
}

/** GitHub's message about a push that a rule refuses; undefined if the rule allows it. */
export function refusalOf({ rule }: Ruleset, branch: string, creates: boolean): string | undefined {
  if (rule.type === "creation") return creates ? "Cannot create ref due to creations being restricted." : undefined;
  if (rule.type === "update") return creates ? undefined : "Cannot update this protected ref.";
  if (rule.type === "required_signatures") return "Commits must have verified signatures.";
  return creates && !allowsName(rule.parameters, branch) ? "Branch name must match a given pattern." : undefined;
}

type NamePattern = Extract<RulesetRule, { type: "branch_name_pattern" }>["parameters"];

function allowsName({ operator, pattern, negate }: NamePattern, branch: string): boolean {
  const matches =
    operator === "contains"
      ? branch.includes(pattern)
      : operator === "starts_with"
        ? branch.startsWith(pattern)
        : branch.endsWith(pattern);
  return matches !== negate;
}
