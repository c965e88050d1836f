import type { TaskSource } from "../../../api/agent-task.ts";
import type { RepositoryRef } from "../../code-host.ts";
import type { ContextItem } from "../../connection.ts";
import type { Api } from "../api.ts";
import { isProviderFailure } from "../../errors.ts";
import { pages } from "../limits.ts";
import { withoutInvisible } from "../../../shared/markdown/invisible.ts";

/** A text in the thread as GitHub returns it: not yet checked for trust, edits and hidden parts. */
export interface ThreadItem {
  id: number;
  author: { id: string; login: string };
  kind: ContextItem["kind"];
  createdAt: string;
  /** When it was last edited; undefined if GitHub does not report it. */
  editedAt: string | undefined;
  text: string;
  location?: NonNullable<ContextItem["location"]>;
  /** The item belongs to the object that triggered the task, so it has priority over other items. */
  close: boolean;
}

/** The location of a thread at GitHub, and how to read it. */
export interface Place {
  api: Api;
  source: TaskSource;
  repository: RepositoryRef;
  number: number;
  /** Reading stops after so many bytes. */
  budgetBytes: number;
}

/** Reads title and body of an issue or pull request, and how many comments it has. */
export async function readSubject(
  { api, source, repository, number }: Place,
  signal: AbortSignal,
): Promise<{ title: string; body: ThreadItem; comments: number }> {
  const { data } = await api.request(
    `read ${source.subject.key}`,
    "GET /repos/{owner}/{repo}/issues/{issue_number}",
    { ...pathOf(repository), issue_number: number },
    signal,
  );
  const body: ThreadItem = {
    id: Number(data.id),
    author: authorOf(data.user),
    kind: "body",
    createdAt: data.created_at,
    // Comments and labels change `updated_at` too, so it only proves that there was no edit after this time.
    editedAt: data.updated_at,
    text: data.body ?? "",
    close: true,
  };
  return { title: data.title, body, comments: data.comments };
}

/** Reads comments until the budget is full, last page first, because GitHub lists them oldest first and has no other order. */
export async function readComments(place: Place, count: number, signal: AbortSignal): Promise<ThreadItem[]> {
  const { api, source, repository, number } = place;
  const found: ThreadItem[] = [];
  const last = Math.max(1, Math.ceil(count / pages.size));
  for (let page = last; page > Math.max(0, last - pages.comments) && bytesOf(found) < place.budgetBytes; page--) {
    const { data } = await api.request(
      `read the comments of ${source.subject.key}`,
      "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
      { ...pathOf(repository), issue_number: number, per_page: pages.size, page },
      signal,
    );
    found.push(
      ...data.map((comment) => ({
        id: Number(comment.id),
        author: authorOf(comment.user),
        kind: "comment" as const,
        createdAt: comment.created_at,
        editedAt: comment.updated_at,
        text: comment.body ?? "",
        close: source.object?.type === "IssueComment" && source.object.id === String(comment.id),
      })),
    );
  }
  return found;
}

/** Reads the reviews that have a text. */
export async function readReviews(place: Place, signal: AbortSignal): Promise<ThreadItem[]> {
  const { api, source, repository, number } = place;
  const found: ThreadItem[] = [];
  for (let page = 1; page <= pages.comments; page++) {
    const { data } = await api.request(
      `read the reviews of ${source.subject.key}`,
      "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
      { ...pathOf(repository), pull_number: number, per_page: pages.size, page },
      signal,
    );
    found.push(
      ...data
        .filter(({ body, submitted_at }) => body && submitted_at)
        .map((review) => ({
          id: Number(review.id),
          author: authorOf(review.user),
          kind: "review" as const,
          createdAt: review.submitted_at ?? "",
          editedAt: undefined,
          text: review.body,
          close: source.object?.type === "Review" && source.object.id === String(review.id),
        })),
    );
    if (data.length < pages.size) break;
  }
  return found;
}

/** Reads comments on lines, newest first. Comments of the review or review thread that triggered the task are `close`. */
export async function readReviewComments(place: Place, signal: AbortSignal): Promise<ThreadItem[]> {
  const { api, source, repository, number } = place;
  const found: (ThreadItem & { reviewId: number; thread: number })[] = [];
  for (let page = 1; page <= pages.comments && bytesOf(found) < place.budgetBytes; page++) {
    const { data } = await api.request(
      `read the review comments of ${source.subject.key}`,
      "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments",
      { ...pathOf(repository), pull_number: number, sort: "created", direction: "desc", per_page: pages.size, page },
      signal,
    );
    found.push(
      ...data.map((comment) => ({
        id: Number(comment.id),
        author: authorOf(comment.user),
        kind: "reviewComment" as const,
        createdAt: comment.created_at,
        editedAt: comment.updated_at,
        text: comment.body,
        location: locationOf(comment),
        close: false,
        reviewId: Number(comment.pull_request_review_id ?? 0),
        thread: Number(comment.in_reply_to_id ?? comment.id),
      })),
    );
    if (data.length < pages.size) break;
  }
  const triggering = found.find(({ id }) => source.object?.type === "ReviewComment" && source.object.id === String(id));
  const reviewId = source.object?.type === "Review" ? Number(source.object.id) : triggering?.reviewId;
  return found.map(({ reviewId: ofReview, thread, ...item }) => ({
    ...item,
    close: ofReview === reviewId || thread === triggering?.thread,
  }));
}

/** When the body and the reviews of a subject were last edited. The REST API does not report this. */
export interface Edits {
  /** Null if it was never edited. */
  body: string | null;
  /** By review id; null if never edited. Reviews that are not in the map are unknown. */
  reviews: Map<string, string | null>;
}

const editsQuery = `query ($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issueOrPullRequest(number: $number) {
      ... on Issue { lastEditedAt }
      ... on PullRequest { lastEditedAt reviews(last: 100) { nodes { fullDatabaseId lastEditedAt } } }
    }
  }
}`;

interface EditsAnswer {
  repository?: {
    issueOrPullRequest?: {
      lastEditedAt?: string | null;
      reviews?: { nodes?: ({ fullDatabaseId?: string | number | null; lastEditedAt?: string | null } | null)[] | null };
    } | null;
  } | null;
}

/** Reads when body and reviews were edited; undefined if this GitHub server cannot report it. The caller then leaves out doubtful texts. */
export async function readEdits(
  { api, source, repository, number }: Place,
  signal: AbortSignal,
): Promise<Edits | undefined> {
  const variables = { owner: repository.owner, name: repository.name, number };
  try {
    const answer = (await api.graphql(
      `read the edits of ${source.subject.key}`,
      editsQuery,
      variables,
      signal,
    )) as EditsAnswer;
    const subject = answer.repository?.issueOrPullRequest;
    if (subject?.lastEditedAt === undefined) return undefined;
    const reviews = (subject.reviews?.nodes ?? []).flatMap((review): [string, string | null][] =>
      review?.fullDatabaseId ? [[String(review.fullDatabaseId), review.lastEditedAt ?? null]] : [],
    );
    return { body: subject.lastEditedAt, reviews: new Map(reviews) };
  } catch (error) {
    if (isProviderFailure(error, "NotFound", "Invalid", "Forbidden")) return undefined;
    throw error;
  }
}

/** Size of the items' texts and diff hunks, in bytes of UTF-8. */
function bytesOf(all: readonly ThreadItem[]): number {
  return all.reduce((sum, { text, location }) => sum + Buffer.byteLength(text + (location?.hunk ?? "")), 0);
}

function locationOf(comment: {
  path: string;
  line?: number | null;
  original_line?: number | null;
  diff_hunk: string;
}): NonNullable<ThreadItem["location"]> {
  const line = comment.line ?? comment.original_line;
  return { path: comment.path, ...(line ? { line } : {}), hunk: withoutInvisible(comment.diff_hunk) };
}

function authorOf(user: { id: number | bigint; login: string } | null | undefined): ThreadItem["author"] {
  return { id: String(user?.id ?? ""), login: user?.login ?? "ghost" };
}

function pathOf({ owner, name }: RepositoryRef): { owner: string; repo: string } {
  return { owner, repo: name };
}
