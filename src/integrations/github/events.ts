import { z } from "zod";
import { hasMoreValues } from "../has-more-values.ts";
import type { Delivery, Normalised, NormaliseContext } from "../types.ts";
import { readCheckSuite, readWorkflowRun } from "./events/checks.ts";
import { readIssueComment, readReview, readReviewComment } from "./events/comments.ts";
import { isOurs, repositoryOf, type Origin, type Reading, type Silence } from "./events/event.ts";
import * as payloads from "./events/payload.ts";
import { readIssue, readPullRequest } from "./events/subjects.ts";

/** One kind of event: which of its actions may ring, and what is made of them. */
interface EventKind {
  actions: readonly string[];
  /** Checks ring on what the bot pushed, so there it may be the sender. */
  byBot?: boolean;
  read(body: unknown, origin: Origin): Reading;
}

const kinds: Readonly<Record<string, EventKind>> = {
  issue_comment: kind(["created"], payloads.issueComment, readIssueComment),
  issues: kind(["opened", "labeled", "assigned"], payloads.issues, readIssue),
  pull_request: kind(["opened", "labeled", "assigned", "review_requested"], payloads.pullRequest, readPullRequest),
  pull_request_review: kind(["submitted"], payloads.review, readReview),
  pull_request_review_comment: kind(["created"], payloads.reviewComment, readReviewComment),
  workflow_run: { ...kind(["completed"], payloads.workflowRun, readWorkflowRun), byBot: true },
  check_suite: { ...kind(["completed"], payloads.checkSuite, readCheckSuite), byBot: true },
};

/** Answered, and nothing else: the operator finds out about installations by itself. */
const notices: Readonly<Record<string, string>> = {
  ping: "GitHub asked whether somebody is here.",
  installation: "Installations are found by the operator.",
  installation_repositories: "Installations are found by the operator.",
  installation_target: "Installations are found by the operator.",
};

/** Far more values than GitHub sends; what rules may cost counts on the bound. */
const maxValues = 50_000;

const silentActions: Readonly<Record<string, { reason: string; message: string }>> = {
  edited: { reason: "Edited", message: "What was edited does not ring; write a new comment." },
  deleted: { reason: "Deleted", message: "What was deleted does not ring." },
};

const partial = z.object({
  action: z.string().optional().catch(undefined),
  repository: payloads.repository.optional().catch(undefined),
  installation: payloads.envelope.shape.installation.catch(undefined),
});

/** Makes an event of a delivery, or says why it is none. Reads only what GitHub's signature covers, but for the event's name. */
export function normalise(delivery: Delivery, context: NormaliseContext): Normalised {
  const name = delivery.headers.get("x-github-event");
  if (!name) return malformed("X-GitHub-Event", "the header is missing; GitHub always sends it");
  if (hasMoreValues(delivery.body, maxValues)) return tooMuch(name);
  const body = parse(delivery.body);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return malformed("body", "the body is no JSON object; deliveries may have been changed on their way");
  }
  return normaliseBody(body, { ...context, name, deliveryId: deliveryId(delivery) });
}

/** What we act on is never so large; what we do not act on may be. */
function tooMuch(name: string): Normalised {
  if (Object.hasOwn(kinds, name))
    return malformed("body", `it has more than ${maxValues} values; GitHub sends a few thousand`);
  return { outcome: "ignored", reason: "UnknownEvent", message: `Nothing here acts on ${name}.` };
}

function normaliseBody(body: object, origin: Origin): Normalised {
  try {
    const reading = read(body, origin);
    return "event" in reading ? { outcome: "event", event: reading.event, body } : ignored(reading, body, origin);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    return malformed(issue?.path.join(".") || "body", issue?.message ?? "the payload is not what GitHub sends");
  }
}

/** GitHub's own id of the delivery: the same for every hook that tells the event, and for redeliveries. */
export function deliveryId(delivery: Delivery): string | undefined {
  return delivery.headers.get("x-github-delivery")?.slice(0, 128);
}

function read(body: object, origin: Origin): Reading {
  const notice = Object.hasOwn(notices, origin.name) ? notices[origin.name] : undefined;
  if (notice) return { ignored: origin.name === "ping" ? "Ping" : "Notice", message: notice };
  const { action } = partial.parse(body);
  const kind = Object.hasOwn(kinds, origin.name) ? kinds[origin.name] : undefined;
  if (!kind) return { ignored: "UnknownEvent", message: `Nothing here acts on ${origin.name}.` };
  if (!action || !kind.actions.includes(action)) return silent(origin.name, action);
  const sender = payloads.envelope.parse(body).sender;
  if (!kind.byBot && isOurs(sender, origin)) {
    return { ignored: "OwnBot", message: "The bot itself did this; what it does never signals." };
  }
  return kind.read(body, origin);
}

function silent(name: string, action: string | undefined): Reading {
  const known = action !== undefined && Object.hasOwn(silentActions, action) ? silentActions[action] : undefined;
  if (known) return { ignored: known.reason, message: known.message };
  return { ignored: "UnknownAction", message: `Nothing here acts on ${name} ${action ?? "without action"}.` };
}

function kind<S extends z.ZodType>(
  actions: readonly string[],
  schema: S,
  read: (payload: z.infer<S>, origin: Origin) => Reading,
): EventKind {
  return { actions, read: (body, origin) => read(schema.parse(body), origin) };
}

function ignored(reading: Silence, body: object, origin: Origin): Normalised {
  const { repository, installation } = partial.parse(body);
  return {
    outcome: "ignored",
    reason: reading.ignored,
    message: reading.message,
    ...(reading.again ? { again: true } : {}),
    ...(repository ? { repository: repositoryOf({ repository }, origin.host) } : {}),
    ...(installation ? { installationId: installation.id } : {}),
  };
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"));
  } catch {
    return undefined; // told as malformed: the parser's own words may quote the body
  }
}

function malformed(path: string, message: string): Normalised {
  return { outcome: "malformed", path, message };
}
