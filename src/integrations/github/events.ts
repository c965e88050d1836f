import { z } from "zod";
import { hasMoreValues } from "../has-more-values.ts";
import type { Delivery, Normalised, NormaliseContext } from "../ingress.ts";
import { isOurs, repositoryOf, type Ignored, type Origin, type ReadResult } from "./events/event.ts";
import * as payloads from "./events/payload.ts";
import {
  readCheckSuite,
  readIssue,
  readIssueComment,
  readPullRequest,
  readReview,
  readReviewComment,
  readWorkflowRun,
} from "./events/read.ts";

/** One kind of event: the actions that can match a trigger, and the function that reads the payload. */
interface EventKind {
  actions: readonly string[];
  /** The bot itself may be the sender: failed checks of a commit that the bot pushed match triggers. */
  byBot?: boolean;
  read(body: unknown, origin: Origin): ReadResult;
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

/** Events that Bellhop answers without any action: the operator lists installations by API. */
const notices: Readonly<Record<string, string>> = {
  ping: "Bellhop received GitHub's ping.",
  installation: "No action required: the operator lists installations itself.",
  installation_repositories: "No action required: the operator lists installations itself.",
  installation_target: "No action required: the operator lists installations itself.",
};

/** Far more values than GitHub sends. The cost limit of trigger rules relies on this bound. */
const maxValues = 50_000;

const ignoredActions: Readonly<Record<string, { reason: string; message: string }>> = {
  edited: { reason: "Edited", message: "Edited text does not trigger tasks; write a new comment." },
  deleted: { reason: "Deleted", message: "A deletion does not trigger tasks." },
};

const partial = z.object({
  action: z.string().nullish().catch(undefined),
  repository: payloads.repository.optional().catch(undefined),
  installation: payloads.envelope.shape.installation.catch(undefined),
});

/** Converts a delivery to an event, or returns why it is not one. Except for the event's name, it reads only signed bytes. */
export function normalise(delivery: Delivery, context: NormaliseContext): Normalised {
  const name = delivery.headers.get("x-github-event");
  if (!name) return malformed("X-GitHub-Event", "the header is missing; GitHub always sends it");
  if (hasMoreValues(delivery.body, maxValues)) return tooManyValues(name);
  const body = parse(delivery.body);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return malformed("body", "the body is not a JSON object; a proxy may have changed the delivery on its way");
  }
  return normaliseBody(body, { ...context, name, deliveryId: deliveryId(delivery) });
}

/** Events that we handle are never so large. Other events may be, so they are ignored and not malformed. */
function tooManyValues(name: string): Normalised {
  if (Object.hasOwn(kinds, name))
    return malformed("body", `the body has more than ${maxValues} values; GitHub sends a few thousand`);
  return { outcome: "ignored", reason: "UnknownEvent", message: `Bellhop does not handle the event ${name}.` };
}

function normaliseBody(body: object, origin: Origin): Normalised {
  try {
    const reading = read(body, origin);
    return "event" in reading ? { outcome: "event", event: reading.event, body } : ignored(reading, body, origin);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    return malformed(
      issue?.path.join(".") || "body",
      issue?.message ?? "the payload does not have the shape that GitHub sends",
    );
  }
}

/** GitHub's id of the delivery. All hooks that receive the event, and all redeliveries, carry the same id. */
export function deliveryId(delivery: Delivery): string | undefined {
  return delivery.headers.get("x-github-delivery")?.slice(0, 128);
}

function read(body: object, origin: Origin): ReadResult {
  const notice = Object.hasOwn(notices, origin.name) ? notices[origin.name] : undefined;
  if (notice) return { ignored: origin.name === "ping" ? "Ping" : "Notice", message: notice };
  const { action } = partial.parse(body);
  const kind = Object.hasOwn(kinds, origin.name) ? kinds[origin.name] : undefined;
  if (!kind) return { ignored: "UnknownEvent", message: `Bellhop does not handle the event ${origin.name}.` };
  if (!action || !kind.actions.includes(action)) return ignoredAction(origin.name, action);
  const sender = payloads.envelope.parse(body).sender;
  return (kind.byBot ? undefined : nobodyAsks(sender, origin)) ?? kind.read(body, origin);
}

/** Whether no other account than ours did it: then nobody asks for anything. */
function nobodyAsks(sender: payloads.Envelope["sender"], origin: Origin): Ignored | undefined {
  if (!sender)
    return { ignored: "NoSender", message: "GitHub does not say who did this: the account may have been deleted." };
  if (!isOurs(sender, origin)) return undefined;
  return { ignored: "OwnBot", message: "The bot itself did this; its own actions do not trigger tasks." };
}

function ignoredAction(name: string, action: string | null | undefined): ReadResult {
  const known = action && Object.hasOwn(ignoredActions, action) ? ignoredActions[action] : undefined;
  if (known) return { ignored: known.reason, message: known.message };
  return {
    ignored: "UnknownAction",
    message: `Bellhop does not handle the event ${name} ${action ? `with action ${action}` : "without action"}.`,
  };
}

function kind<S extends z.ZodType>(
  actions: readonly string[],
  schema: S,
  read: (payload: z.infer<S>, origin: Origin) => ReadResult,
): EventKind {
  return { actions, read: (body, origin) => read(schema.parse(body), origin) };
}

function ignored(reading: Ignored, body: object, origin: Origin): Normalised {
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
    return undefined; // The caller answers "malformed". The parser's message may quote the body, so it is dropped.
  }
}

function malformed(path: string, message: string): Normalised {
  return { outcome: "malformed", path, message };
}
