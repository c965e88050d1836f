import type { z } from "zod";
import type { ProviderEvent, Signal } from "../../event.ts";
import { eventOf, mentionIn, subjectKey, subjectOf, type Ignored, type Origin, type ReadResult } from "./event.ts";
import type {
  Check,
  checkSuite,
  Envelope,
  issueComment,
  issues,
  pullRequest,
  review,
  reviewComment,
  Subject,
  Targets,
  workflowRun,
} from "./payload.ts";

/** Conclusions that count as failures. `cancelled` and `action_required` are not failures but decisions of people. */
const failures = new Set(["failure", "timed_out", "startup_failure"]);

/** Reads a comment on an issue or a change. */
export function readIssueComment(payload: z.infer<typeof issueComment>, origin: Origin): ReadResult {
  const { comment, issue } = payload;
  const signal = mentionIn(comment.body, origin);
  if ("ignored" in signal) return signal;
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, issue.pull_request ? "Change" : "Issue", issue),
    cause: `issue_comment/${comment.id}`,
    object: { type: "IssueComment", id: comment.id },
    url: comment.html_url,
    occurredAt: comment.created_at,
    text: comment.body ?? "",
    signals: [signal],
  });
  return { event };
}

/** Reads the text of a submitted review; GitHub sends `null` if it has no text. */
export function readReview(payload: z.infer<typeof review>, origin: Origin): ReadResult {
  const { review, pull_request } = payload;
  const signal = mentionIn(review.body, origin);
  if ("ignored" in signal) return signal;
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, "Change", pull_request),
    cause: `review/${review.id}`,
    object: { type: "Review", id: review.id },
    url: review.html_url,
    occurredAt: review.submitted_at,
    text: review.body ?? "",
    signals: [signal],
  });
  return { event };
}

/** Reads a comment on a line. It belongs to a review; the review and all its comments are one cause. */
export function readReviewComment(payload: z.infer<typeof reviewComment>, origin: Origin): ReadResult {
  const { comment, pull_request } = payload;
  const signal = mentionIn(comment.body, origin);
  if ("ignored" in signal) return signal;
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, "Change", pull_request),
    cause: causeOf(comment),
    object: { type: "ReviewComment", id: comment.id },
    url: comment.html_url,
    // GitHub creates the comment as a draft and updates it when its review is submitted, which is when people see it.
    occurredAt: comment.updated_at ?? comment.created_at,
    text: comment.body ?? "",
    signals: [signal],
  });
  return { event };
}

function causeOf({ id, pull_request_review_id }: z.infer<typeof reviewComment>["comment"]): ProviderEvent["cause"] {
  return pull_request_review_id ? `review/${pull_request_review_id}` : `review_comment/${id}`;
}

/** Reads an issue that was opened, labelled or assigned. A payload of `issues` can also be about a change. */
export function readIssue(payload: z.infer<typeof issues>, origin: Origin): ReadResult {
  return readSubject(
    { payload, subject: payload.issue, type: payload.issue.pull_request ? "Change" : "Issue" },
    origin,
  );
}

/** Reads a pull request that was opened, labelled or assigned, or whose review was requested. */
export function readPullRequest(payload: z.infer<typeof pullRequest>, origin: Origin): ReadResult {
  return readSubject({ payload, subject: payload.pull_request, type: "Change" }, origin);
}

interface SubjectInput {
  payload: Envelope & Targets;
  subject: Subject;
  type: "Issue" | "Change";
}

type SignalPart = Pick<ProviderEvent, "cause" | "signals"> & {
  occurredAt?: string | null | undefined;
  text?: string;
  description?: string;
};

function readSubject(input: SubjectInput, origin: Origin): ReadResult {
  const signalPart = signalOf(input, origin);
  if ("ignored" in signalPart) return signalPart;
  const { payload, subject, type } = input;
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, type, subject),
    object: { type, id: subject.id },
    url: subject.html_url,
    ...signalPart,
  });
  return { event };
}

function signalOf(input: SubjectInput, origin: Origin): SignalPart | Ignored {
  const { payload, subject } = input;
  if (payload.action === "opened") return opened(input, origin);
  const [type, signal] = target(payload);
  if (!signal)
    return {
      ignored: "NothingNamed",
      message: `The payload of action ${payload.action} does not name a label or an account.`,
    };
  return {
    cause: [type, subject.id, targetName(signal), subject.updated_at ?? ""].join("/").slice(0, 512),
    occurredAt: subject.updated_at,
    description: [subject.title, subject.body].filter((part) => part).join("\n\n"),
    signals: [signal],
  };
}

function opened({ subject, type }: SubjectInput, origin: Origin): SignalPart | Ignored {
  const signal = mentionIn(subject.body, origin);
  if ("ignored" in signal) return signal;
  return {
    cause: `${type === "Issue" ? "issues" : "pull_request"}/${subject.id}/opened`,
    occurredAt: subject.created_at,
    text: subject.body ?? "",
    signals: [signal],
  };
}

type Named = Extract<Signal, { kind: "label" | "assignment" | "reviewRequest" }>;

/**
 * The label, assignee or reviewer that was added to the subject: the first part of the cause, and the signal. A team as reviewer is
 * never our bot, so it is no signal.
 */
function target({ action, label, assignee, requested_reviewer }: Envelope & Targets): [string, Named | undefined] {
  if (action === "labeled") return ["label", label ? { kind: "label", label: label.name } : undefined];
  if (action === "assigned")
    return ["assignment", assignee ? { kind: "assignment", login: assignee.login } : undefined];
  const reviewer = requested_reviewer?.login;
  return ["review_request", reviewer === undefined ? undefined : { kind: "reviewRequest", login: reviewer }];
}

function targetName(signal: Named): string {
  return (signal.kind === "label" ? signal.label : signal.login).toLowerCase();
}

/** Reads a workflow run that ended. */
export function readWorkflowRun(payload: z.infer<typeof workflowRun>, origin: Origin): ReadResult {
  const run = payload.workflow_run;
  const sameRepository = run.head_repository?.id === payload.repository.id;
  return readCheck({ payload, check: run, name: run.name, sameRepository, type: "WorkflowRun" }, origin);
}

/**
 * Reads a check suite that ended. A suite does not name the repository of its head: GitHub leaves `head_branch` out for
 * forks and lists the changes with their repositories. Source: GitHub, "Webhook events and payloads", check_suite.
 */
export function readCheckSuite(payload: z.infer<typeof checkSuite>, origin: Origin): ReadResult {
  const suite = payload.check_suite;
  const heads = suite.pull_requests ?? [];
  const sameRepository = heads.every(({ head }) => (head?.repo?.id ?? payload.repository.id) === payload.repository.id);
  return readCheck({ payload, check: suite, name: suite.app?.name, sameRepository, type: "CheckSuite" }, origin);
}

interface CheckInput {
  payload: Envelope;
  check: Check;
  /** The workflow's name; for a suite, which has no name, the name of its App. */
  name: string | null | undefined;
  sameRepository: boolean;
  type: "WorkflowRun" | "CheckSuite";
}

/** All failures on one commit are one cause, whichever check is reported first. */
function readCheck({ payload, check, name, sameRepository, type }: CheckInput, origin: Origin): ReadResult {
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
    ...subjectOfCheck(payload, check),
    cause: `checks/${payload.repository.id}/${check.head_sha}`,
    object: { type, id: check.id, headSHA: check.head_sha },
    url: check.html_url,
    occurredAt: check.updated_at,
    signals: [{ kind: "failedChecks", headBranch, headSHA: check.head_sha, sameRepository, ...(name ? { name } : {}) }],
  });
  return { event };
}

/** GitHub lists all changes with this head, also those between branches of a fork. Only a change of this repository counts. */
function subjectOfCheck(payload: Envelope, check: Check): Pick<ProviderEvent, "subject" | "conversation"> {
  const ours = check.pull_requests?.find(({ base }) => base?.repo?.id === payload.repository.id);
  const number = ours?.number;
  if (number !== undefined) {
    const key = subjectKey(payload, number);
    return { subject: { type: "Change", key, number }, conversation: `${payload.repository.id}#${number}` };
  }
  const name = `${payload.repository.owner.login}/${payload.repository.name}`;
  const commit = check.head_sha.slice(0, 12);
  return { subject: { type: "Commit", key: `${name}@${commit}` }, conversation: `${payload.repository.id}@${commit}` };
}
