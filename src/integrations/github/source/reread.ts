import { createHash } from "node:crypto";
import type { TaskSource } from "../../../api/agent-task.ts";
import type { RepositoryRef } from "../../code-host.ts";
import type { Reread } from "../../connection.ts";
import { isProviderFailure } from "../../errors.ts";
import { defined } from "../../../shared/defined.ts";
import type { Api } from "../api.ts";
import { editorsOf } from "./edits.ts";

/** The current state of an object at GitHub; the fields that differ by type of object. */
interface CurrentState {
  user: { id: number | bigint; login: string; type: string } | null | undefined;
  text: string | undefined;
  subjectKey: string;
  /** When its text was last changed, if GitHub reports it. */
  updatedAt?: string;
  /** GraphQL's id of the object. */
  nodeId?: string;
}

/** Reads the object that triggered the task again: its author, its current text and its subject. `found` is false if it no longer exists. */
export async function reread(
  api: Api,
  source: TaskSource,
  repository: RepositoryRef,
  signal: AbortSignal,
): Promise<Reread> {
  try {
    const { owner, name } = repository;
    const doing = `read ${owner}/${name}`;
    const { data } = await api.request(doing, "GET /repos/{owner}/{repo}", { owner, repo: name }, signal);
    const now = String(data.id) === repository.id ? await read(api, source, repository, signal) : undefined;
    return now ? { ...found(now, source, data.private), ...(await edited(api, now, source, signal)) } : gone(source);
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return gone(source);
    throw error;
  }
}

/** GitHub shows texts of deleted accounts as written by @ghost. */
const ghost = { id: "", login: "ghost", type: "User" };

function found({ user, text, subjectKey, updatedAt }: CurrentState, source: TaskSource, isPrivate: boolean): Reread {
  const { id, login, type } = user ?? ghost;
  return {
    found: true,
    actor: { id: String(id), login, isBot: type === "Bot" },
    text,
    subjectKey,
    editedAfter: updatedAt !== undefined && Date.parse(updatedAt) > Date.parse(source.receivedAt ?? ""),
    private: isPrivate,
  };
}

function gone({ subject, url }: TaskSource): Reread {
  return {
    found: false,
    message: `The object that triggered this task in ${subject.key}${url ? ` (${url})` : ""} no longer exists.`,
  };
}

/** Who edited the text, if it is not that of the event any more. */
async function edited(
  api: Api,
  { text, nodeId }: CurrentState,
  { subject, textSHA256 }: TaskSource,
  signal: AbortSignal,
): Promise<{ editors?: string[] }> {
  if (text === undefined || textSHA256 === undefined || sha256(text) === textSHA256) return {};
  return defined({
    editors: await editorsOf(api, { nodeId, doing: `read who edited a text in ${subject.key}` }, signal),
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

type Reader = (api: Api, source: TaskSource, repository: RepositoryRef, signal: AbortSignal) => Promise<CurrentState>;

function read(
  api: Api,
  source: TaskSource,
  repository: RepositoryRef,
  signal: AbortSignal,
): Promise<CurrentState> | undefined {
  return source.object && readers[source.object.type]?.(api, source, repository, signal);
}

const issueComment: Reader = async (api, source, repository, signal) => {
  const { data } = await api.request(
    `read a comment in ${source.subject.key}`,
    "GET /repos/{owner}/{repo}/issues/comments/{comment_id}",
    { ...pathOf(repository), comment_id: idOf(source) },
    signal,
  );
  return {
    user: data.user,
    text: data.body ?? "",
    subjectKey: keyOf(repository, lastPart(data.issue_url)),
    updatedAt: data.updated_at,
    nodeId: data.node_id,
  };
};

const reviewComment: Reader = async (api, source, repository, signal) => {
  const { data } = await api.request(
    `read a review comment in ${source.subject.key}`,
    "GET /repos/{owner}/{repo}/pulls/comments/{comment_id}",
    { ...pathOf(repository), comment_id: idOf(source) },
    signal,
  );
  return {
    user: data.user,
    text: data.body,
    subjectKey: keyOf(repository, lastPart(data.pull_request_url)),
    updatedAt: data.updated_at,
    nodeId: data.node_id,
  };
};

const review: Reader = async (api, source, repository, signal) => {
  const { data } = await api.request(
    `read a review of ${source.subject.key}`,
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}",
    { ...pathOf(repository), pull_number: source.subject.number ?? 0, review_id: idOf(source) },
    signal,
  );
  const subjectKey = keyOf(repository, lastPart(data.pull_request_url));
  return { user: data.user, text: data.body, subjectKey, nodeId: data.node_id };
};

/** Every comment or label changes an issue's `updated_at`, so only a comparison of the text shows an edit. */
const issue: Reader = async (api, source, repository, signal) => {
  const { data } = await api.request(
    `read ${source.subject.key}`,
    "GET /repos/{owner}/{repo}/issues/{issue_number}",
    { ...pathOf(repository), issue_number: source.subject.number ?? 0 },
    signal,
  );
  const subjectKey = keyOf(repository, String(data.number));
  return { user: data.user, text: data.body ?? "", subjectKey, nodeId: data.node_id };
};

const workflowRun: Reader = async (api, source, repository, signal) => {
  const { data } = await api.request(
    `read a workflow run of ${source.subject.key}`,
    "GET /repos/{owner}/{repo}/actions/runs/{run_id}",
    { ...pathOf(repository), run_id: idOf(source) },
    signal,
  );
  return { user: data.actor, text: undefined, subjectKey: checkedKey(source, repository, data.head_sha) };
};

const checkSuite: Reader = async (api, source, repository, signal) => {
  const { data } = await api.request(
    `read a check suite of ${source.subject.key}`,
    "GET /repos/{owner}/{repo}/check-suites/{check_suite_id}",
    { ...pathOf(repository), check_suite_id: idOf(source) },
    signal,
  );
  return { user: undefined, text: undefined, subjectKey: checkedKey(source, repository, data.head_sha) };
};

const readers: Partial<Record<NonNullable<TaskSource["object"]>["type"], Reader>> = {
  IssueComment: issueComment,
  ReviewComment: reviewComment,
  Review: review,
  Issue: issue,
  Change: issue,
  WorkflowRun: workflowRun,
  CheckSuite: checkSuite,
};

/** The changes that a check belongs to vary as changes open and close. The commit of the check does not, so it is compared. */
function checkedKey({ subject, object }: TaskSource, { owner, name }: RepositoryRef, headSHA: string): string {
  return object?.headSHA === headSHA ? subject.key : `${owner}/${name}@${headSHA.slice(0, 12)}`;
}

function keyOf({ owner, name }: RepositoryRef, number: string): string {
  return `${owner}/${name}#${number}`;
}

function pathOf({ owner, name }: RepositoryRef): { owner: string; repo: string } {
  return { owner, repo: name };
}

function idOf({ object }: TaskSource): number {
  return Number(object?.id);
}

function lastPart(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}
