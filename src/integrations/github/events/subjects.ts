import type { z } from "zod";
import type { ProviderEvent, Signal } from "../../types.ts";
import { eventOf, mentionIn, subjectOf, type Ignored, type Origin, type ReadResult } from "./event.ts";
import type { Envelope, issues, pullRequest, Subject, Targets } from "./payload.ts";

/** Reads an issue that was opened, labelled or assigned. A payload of `issues` can also be about a change. */
export function readIssue(payload: z.infer<typeof issues>, origin: Origin): ReadResult {
  return read({ payload, subject: payload.issue, type: payload.issue.pull_request ? "Change" : "Issue" }, origin);
}

/** Reads a pull request that was opened, labelled or assigned, or whose review was requested. */
export function readPullRequest(payload: z.infer<typeof pullRequest>, origin: Origin): ReadResult {
  return read({ payload, subject: payload.pull_request, type: "Change" }, origin);
}

interface Input {
  payload: Envelope & Targets;
  subject: Subject;
  type: "Issue" | "Change";
}

type SignalPart = Pick<ProviderEvent, "cause" | "signals"> & { occurredAt?: string | undefined; text?: string };

function read(input: Input, origin: Origin): ReadResult {
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

function signalOf(input: Input, origin: Origin): SignalPart | Ignored {
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
    signals: [signal],
  };
}

function opened({ subject, type }: Input, origin: Origin): SignalPart | Ignored {
  const signal = mentionIn(subject.body, origin);
  if ("ignored" in signal) return signal;
  return {
    cause: `${type === "Issue" ? "issues" : "pull_request"}/${subject.id}/opened`,
    occurredAt: subject.created_at,
    text: subject.body ?? "",
    signals: [signal],
  };
}

type Named = Exclude<Signal, { kind: "mention" | "failedChecks" }>;

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
