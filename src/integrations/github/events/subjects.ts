import type { z } from "zod";
import type { ProviderEvent, Signal } from "../../types.ts";
import { eventOf, mentionIn, subjectOf, type Origin, type Reading, type Silence } from "./event.ts";
import type { Envelope, issues, pullRequest, Subject, Targets } from "./payload.ts";

/** An issue that was opened, labelled or assigned. A change can come as an issue, too. */
export function readIssue(payload: z.infer<typeof issues>, origin: Origin): Reading {
  return read({ payload, subject: payload.issue, type: payload.issue.pull_request ? "Change" : "Issue" }, origin);
}

/** A pull request that was opened, labelled, assigned, or that a review is asked for. */
export function readPullRequest(payload: z.infer<typeof pullRequest>, origin: Origin): Reading {
  return read({ payload, subject: payload.pull_request, type: "Change" }, origin);
}

interface Input {
  payload: Envelope & Targets;
  subject: Subject;
  type: "Issue" | "Change";
}

type Rung = Pick<ProviderEvent, "cause" | "signals"> & { occurredAt?: string | undefined; text?: string };

function read(input: Input, origin: Origin): Reading {
  const rung = signalOf(input, origin);
  if ("ignored" in rung) return rung;
  const { payload, subject, type } = input;
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, type, subject),
    object: { type, id: subject.id },
    url: subject.html_url,
    ...rung,
  });
  return { event };
}

function signalOf(input: Input, origin: Origin): Rung | Silence {
  const { payload, subject } = input;
  if (payload.action === "opened") return opened(input, origin);
  const [what, ring] = target(payload);
  if (!ring)
    return { ignored: "NothingNamed", message: `The payload does not say whom or what ${payload.action} names.` };
  return {
    cause: [what, subject.id, targetName(ring), subject.updated_at ?? ""].join("/").slice(0, 512),
    occurredAt: subject.updated_at,
    signals: [ring],
  };
}

function opened({ subject, type }: Input, origin: Origin): Rung | Silence {
  const ring = mentionIn(subject.body, origin);
  if ("ignored" in ring) return ring;
  return {
    cause: `${type === "Issue" ? "issues" : "pull_request"}/${subject.id}/opened`,
    occurredAt: subject.created_at,
    text: subject.body ?? "",
    signals: [ring],
  };
}

type Named = Exclude<Signal, { kind: "mention" | "failedChecks" }>;

/** What was put on the subject: the first part of the cause, and what signals. A team as reviewer is nobody we answer for. */
function target({ action, label, assignee, requested_reviewer }: Envelope & Targets): [string, Named | undefined] {
  if (action === "labeled") return ["label", label ? { kind: "label", label: label.name } : undefined];
  if (action === "assigned")
    return ["assignment", assignee ? { kind: "assignment", login: assignee.login } : undefined];
  const reviewer = requested_reviewer?.login;
  return ["review_request", reviewer === undefined ? undefined : { kind: "reviewRequest", login: reviewer }];
}

function targetName(ring: Named): string {
  return (ring.kind === "label" ? ring.label : ring.login).toLowerCase();
}
