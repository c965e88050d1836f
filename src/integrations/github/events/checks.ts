import type { z } from "zod";
import type { ProviderEvent } from "../../types.ts";
import { eventOf, subjectKey, type Origin, type ReadResult } from "./event.ts";
import type { Check, checkSuite, Envelope, workflowRun } from "./payload.ts";

/** Conclusions that count as failures. `cancelled` and `action_required` are not failures but decisions of people. */
const failures = new Set(["failure", "timed_out", "startup_failure"]);

/** Reads a workflow run that ended. */
export function readWorkflowRun(payload: z.infer<typeof workflowRun>, origin: Origin): ReadResult {
  const run = payload.workflow_run;
  const sameRepository = run.head_repository?.id === payload.repository.id;
  return read({ payload, check: run, name: run.name, sameRepository, type: "WorkflowRun" }, origin);
}

/**
 * Reads a check suite that ended. A suite does not name the repository of its head: GitHub leaves `head_branch` out for
 * forks and lists the changes with their repositories. Source: GitHub, "Webhook events and payloads", check_suite.
 */
export function readCheckSuite(payload: z.infer<typeof checkSuite>, origin: Origin): ReadResult {
  const suite = payload.check_suite;
  const heads = suite.pull_requests ?? [];
  const sameRepository = heads.every(({ head }) => (head?.repo?.id ?? payload.repository.id) === payload.repository.id);
  return read({ payload, check: suite, name: suite.app?.name, sameRepository, type: "CheckSuite" }, origin);
}

interface Input {
  payload: Envelope;
  check: Check;
  /** The workflow's name; for a suite, which has no name, the name of its App. */
  name: string | null | undefined;
  sameRepository: boolean;
  type: "WorkflowRun" | "CheckSuite";
}

/** All failures on one commit are one cause, whichever check is reported first. */
function read({ payload, check, name, sameRepository, type }: Input, origin: Origin): ReadResult {
  if (!failures.has(check.conclusion ?? "")) {
    return {
      ignored: "ChecksNotFailed",
      message: `The checks did not fail; they ended with ${check.conclusion ?? "no conclusion"}.`,
    };
  }
  const headBranch = check.head_branch ?? "";
  if (headBranch === "")
    return { ignored: "NotOurBranch", message: "The failed checks do not belong to a branch of this repository." };
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

/** GitHub lists all changes with this head, also those between branches of a fork. Only a change of this repository counts. */
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
