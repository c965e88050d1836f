import type { AgentTask } from "../../../api/kinds.ts";
import { isFailedCheck } from "../conversation.ts";
import { requesterOf } from "../state.ts";
import type { ReportSources } from "./text.ts";

/** Renders the requester and the request: an excerpt of its text, or the label, assignment or check that triggered the task. Distinguishes the reports in one thread. */
export function describeRequest(sources: ReportSources): string {
  return describe(sources, mentionOf(sources));
}

/** Renders the same without a mention, so that nobody is notified. */
export function describeRequestWithoutMention(sources: ReportSources): string {
  return describe(sources, sources.encode(`@${loginOf(sources)}`));
}

function describe(sources: ReportSources, person: string): string {
  if (isFailedCheck(sources.task)) return `${failedCheck(sources)}, for ${person}`;
  return `asked by ${person}${sources.excerpt ? `: ${quotation(sources)}` : act(sources)}`;
}

/** Quotes the request; for a retry the command and the original request. */
function quotation({ task, original, excerpt = "", quote }: ReportSources): string {
  const again = original?.status?.report?.quote;
  const of = again ? ` of ${quote(again, original?.spec.source.url)}` : "";
  return `${quote(excerpt, task.spec.source.url)}${of}`;
}

function failedCheck({ task, quote }: ReportSources): string {
  const { signal: matched, url } = task.spec.source;
  return matched?.name === undefined ? "after failed checks" : `after the failed check ${quote(matched.name, url)}`;
}

type Signal = NonNullable<AgentTask["spec"]["source"]["signal"]>;

/** Requests without text. */
const acts: Partial<Record<Signal["type"], (name: string) => string>> = {
  Label: (name) => `by the label ${name}`,
  Assignment: (name) => `by assigning it to ${name}`,
  ReviewRequest: (name) => `by asking ${name} for a review`,
};

function act({ task, quote }: ReportSources): string {
  const { type, name } = task.spec.source.signal ?? {};
  return type === undefined || name === undefined ? "" : ` ${acts[type]?.(quote(name)) ?? ""}`.trimEnd();
}

/** Mentions the requester. A login of an unexpected form is quoted as plain text, so that it notifies nobody. */
function mentionOf(sources: ReportSources): string {
  const login = loginOf(sources);
  return /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?(?:\[bot\])?$/.test(login)
    ? `@${login}`
    : sources.quote(login);
}

function loginOf({ task }: ReportSources): string {
  return requesterOf(task).login;
}
