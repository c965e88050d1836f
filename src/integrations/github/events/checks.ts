import type { z } from "zod";
import type { ProviderEvent } from "../../types.ts";
import { eventOf, subjectKey, type Origin, type Reading } from "./event.ts";
import type { Check, checkSuite, Envelope, workflowRun } from "./payload.ts";

/** Conclusions that mean: somebody has to look. `cancelled` and `action_required` are decisions of people. */
const failures = new Set(["failure", "timed_out", "startup_failure"]);

/** A workflow run that ended. */
export function readWorkflowRun(payload: z.infer<typeof workflowRun>, origin: Origin): Reading {
  const run = payload.workflow_run;
  const sameRepository = run.head_repository?.id === payload.repository.id;
  return read({ payload, check: run, name: run.name, sameRepository, type: "WorkflowRun" }, origin);
}

/**
 * A check suite that ended. It does not name its head's repository: GitHub leaves `head_branch` out for forks, and lists
 * the changes with theirs. Source: GitHub, "Webhook events and payloads", check_suite.
 */
export function readCheckSuite(payload: z.infer<typeof checkSuite>, origin: Origin): Reading {
  const suite = payload.check_suite;
  const heads = suite.pull_requests ?? [];
  const sameRepository = heads.every(({ head }) => (head?.repo?.id ?? payload.repository.id) === payload.repository.id);
  return read({ payload, check: suite, name: suite.app?.name, sameRepository, type: "CheckSuite" }, origin);
}

interface Input {
  payload: Envelope;
  check: Check;
  /** A suite has none of its own: its App's. */
  name: string | null | undefined;
  sameRepository: boolean;
  type: "WorkflowRun" | "CheckSuite";
}

/** All failures on one commit are one cause, whichever check tells first. */
function read({ payload, check, name, sameRepository, type }: Input, origin: Origin): Reading {
  if (!failures.has(check.conclusion ?? "")) {
    return { ignored: "ChecksNotFailed", message: `The checks ended with ${check.conclusion ?? "no conclusion"}.` };
  }
  const headBranch = check.head_branch ?? "";
  if (headBranch === "") return { ignored: "NotOurBranch", message: "The failed checks belong to no branch here." };
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, check),
    cause: `checks/${payload.repository.id}/${check.head_sha}`,
    object: { type, id: check.id, headSHA: check.head_sha },
    url: check.html_url,
    occurredAt: check.updated_at,
    signals: [{ kind: "failedChecks", headBranch, headSHA: check.head_sha, sameRepository, ...(name ? { name } : {}) }],
  });
  return { event };
}

/** GitHub lists every change with that head, those that forks propose to themselves too; only a change of this repository counts. */
function subjectOf(payload: Envelope, check: Check): Pick<ProviderEvent, "subject" | "conversation"> {
  const ours = check.pull_requests?.find(({ base }) => base?.repo?.id === payload.repository.id);
  const number = ours?.number;
  if (number !== undefined) {
    const key = subjectKey(payload, number);
    return { subject: { type: "Change", key, number }, conversation: key };
  }
  const name = `${payload.repository.owner.login}/${payload.repository.name}`;
  const key = `${name}@${check.head_sha.slice(0, 12)}`;
  return { subject: { type: "Commit", key }, conversation: key };
}
