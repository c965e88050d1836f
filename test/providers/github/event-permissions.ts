/** For each event, the permissions of which an App needs one to receive it. Source: GitHub, "Webhook events and payloads". */
const needed: Record<string, string[]> = {
  issues: ["issues"],
  issue_comment: ["issues", "pull_requests"],
  label: ["issues"],
  pull_request: ["pull_requests"],
  pull_request_review: ["pull_requests"],
  pull_request_review_comment: ["pull_requests"],
  push: ["contents"],
  check_suite: ["checks"],
  check_run: ["checks"],
  workflow_run: ["actions"],
  status: ["statuses"],
};

/** The permissions of which an App needs one to receive an event; empty if it needs none. */
export function roleNeeded(event: string): string[] {
  return needed[event] ?? [];
}
