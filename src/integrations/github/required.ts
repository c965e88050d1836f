import type { TriggerKind } from "../../api/integration.ts";
import type { GitHubIntegration } from "../../api/github-integration.ts";

const eventsOf = {
  mention: ["issue_comment", "issues", "pull_request", "pull_request_review", "pull_request_review_comment"],
  label: ["issues", "pull_request"],
  assignment: ["issues", "pull_request"],
  reviewRequest: ["pull_request"],
  failedChecks: ["check_suite", "workflow_run"],
} satisfies Partial<Record<TriggerKind, readonly string[]>>;
type GitHubTrigger = keyof typeof eventsOf;

/** The webhook events that an integration's triggers need, sorted. */
export function requiredEvents({ spec }: Pick<GitHubIntegration, "spec">): string[] {
  return [...new Set(spec.triggers.flatMap((trigger) => kindsOf(trigger).flatMap((kind) => eventsOf[kind])))].sort();
}

/** The App permissions that an integration needs: `read` or `write` by GitHub's names. */
export function requiredPermissions({ spec }: Pick<GitHubIntegration, "spec">): Record<string, "read" | "write"> {
  const checks = spec.triggers.some((trigger) => trigger.failedChecks);
  return {
    metadata: "read",
    contents: "write",
    issues: "write",
    pull_requests: "write",
    ...(checks ? { actions: "read" as const, checks: "read" as const } : {}),
  };
}

/** Whether a granted level is enough; `admin` is more than `write`. */
export function isGranted(granted: string | undefined, needed: "read" | "write"): boolean {
  return granted === needed || granted === "write" || granted === "admin";
}

function kindsOf(trigger: GitHubIntegration["spec"]["triggers"][number]): GitHubTrigger[] {
  return (Object.keys(eventsOf) as GitHubTrigger[]).filter((kind) => trigger[kind] !== undefined);
}
