import type { Endpoints } from "@octokit/types";
import type { RepositoryRef } from "../../code-host.ts";
import { isProviderFailure } from "../../errors.ts";
import type { Api } from "../api.ts";

type Rule = Endpoints["GET /repos/{owner}/{repo}/rules/branches/{branch}"]["response"]["data"][number];

/** The push that rules are asked about. */
export interface Push {
  name: string;
  creates: boolean;
}

/**
 * Why the rulesets of a repository would refuse our push; undefined if none does, or if they cannot be read (older servers, some plans).
 * GitHub lists the rules of a branch without regard to who may bypass them, so the ruleset is asked whether we may. Source: GitHub, "REST API
 * endpoints for rules".
 */
export async function pushRefusal(
  api: Api,
  repository: RepositoryRef,
  push: Push,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const rule of await rulesOf(api, repository, push.name, signal)) {
    const forbids = whatItForbids(rule, push);
    if (forbids === undefined) continue;
    const ruleset = await bindingRuleset(api, repository, rule, signal);
    if (ruleset !== undefined) return sentence(repository, push, { ruleset, forbids });
  }
  return undefined;
}

async function rulesOf(
  api: Api,
  { owner, name }: RepositoryRef,
  branch: string,
  signal: AbortSignal,
): Promise<readonly Rule[]> {
  try {
    const { data } = await api.request(
      `read the rules for branch ${branch} of ${owner}/${name}`,
      "GET /repos/{owner}/{repo}/rules/branches/{branch}",
      { owner, repo: name, branch, per_page: 100 },
      signal,
    );
    return data;
  } catch (error) {
    if (isProviderFailure(error, "NotFound", "Forbidden", "Invalid")) return [];
    throw error;
  }
}

/** The refusal of the push by a rule, as the end of "the ruleset … "; undefined if it allows it, or if only the push itself can tell. */
function whatItForbids(rule: Rule, { name, creates }: Push): string | undefined {
  if (rule.type === "branch_name_pattern")
    return creates && rule.parameters ? wrongName(rule.parameters, name) : undefined;
  return (creates ? forbidsCreation : forbidsUpdates)[rule.type];
}

const unsigned = "requires signed commits, and Bellhop does not sign";
const forbidsCreation: Partial<Record<Rule["type"], string>> = {
  creation: "does not allow the creation of this branch",
  required_signatures: unsigned,
};
const forbidsUpdates: Partial<Record<Rule["type"], string>> = {
  update: "does not allow updates of this branch",
  pull_request: "allows changes of this branch through pull requests only",
  required_signatures: unsigned,
};

/** Regular expressions are in the dialect of GitHub, so only the push can tell whether they match. */
function wrongName(
  { operator, pattern, negate }: { operator: string; pattern: string; negate?: boolean },
  name: string,
): string | undefined {
  const tests: Record<string, (name: string) => boolean> = {
    starts_with: (given) => given.startsWith(pattern),
    ends_with: (given) => given.endsWith(pattern),
    contains: (given) => given.includes(pattern),
  };
  const matches = tests[operator]?.(name);
  if (matches === undefined || matches !== (negate === true)) return undefined;
  const words = operator
    .replaceAll("_", " ")
    .replace("starts", "start")
    .replace("ends", "end")
    .replace("contains", "contain");
  return `wants names of branches that ${negate === true ? "do not " : ""}${words} \`${pattern}\``;
}

/** The name of the ruleset, if it binds us; undefined if we may bypass it, or if it does not say. */
async function bindingRuleset(
  api: Api,
  { owner, name }: RepositoryRef,
  rule: Rule,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { ruleset_id: id } = rule;
  if (id === undefined) return undefined;
  try {
    const { data } = await api.request(
      `read ruleset ${id} of ${owner}/${name}`,
      "GET /repos/{owner}/{repo}/rulesets/{ruleset_id}",
      { owner, repo: name, ruleset_id: id, includes_parents: true },
      signal,
    );
    const binds = data.current_user_can_bypass === "never" || data.current_user_can_bypass === "pull_requests_only";
    return binds ? data.name : undefined;
  } catch (error) {
    if (isProviderFailure(error, "NotFound", "Forbidden", "Invalid")) return undefined;
    throw error;
  }
}

function sentence(
  { owner, name }: RepositoryRef,
  push: Push,
  { ruleset, forbids }: { ruleset: string; forbids: string },
): string {
  return `Bellhop may not push to \`${push.name}\` of ${owner}/${name}: the ruleset "${ruleset.replaceAll(/[`"\s]+/g, " ")}" ${forbids}. Add Bellhop's App to the ruleset's bypass list, or exempt its branches; then use the command \`retry\`.`;
}
