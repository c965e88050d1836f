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

/** The events and permissions that an App needs. */
export interface Required {
  /** Webhook events, sorted. */
  events: string[];
  /** `read` or `write` by GitHub's names. */
  permissions: Record<string, "read" | "write">;
}

/** The events and permissions that the triggers of an integration need. */
export function required({ spec }: Pick<GitHubIntegration, "spec">): Required {
  const kinds = new Set(spec.triggers.flatMap(kindsOf));
  return {
    events: [...new Set([...kinds].flatMap((kind) => eventsOf[kind]))].sort(),
    permissions: {
      metadata: "read",
      contents: "write",
      issues: "write",
      pull_requests: "write",
      ...(kinds.has("failedChecks") ? { actions: "read", checks: "read" } : {}),
    },
  };
}

/** Whether a granted level is enough; `admin` is more than `write`. */
export function isGranted(granted: string | undefined, needed: "read" | "write"): boolean {
  return granted === needed || granted === "write" || granted === "admin";
}

function kindsOf(trigger: GitHubIntegration["spec"]["triggers"][number]): GitHubTrigger[] {
  return (Object.keys(eventsOf) as GitHubTrigger[]).filter((kind) => trigger[kind] !== undefined);
}
