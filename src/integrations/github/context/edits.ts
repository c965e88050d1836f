import { isProviderFailure } from "../../errors.ts";
import type { Place } from "./talk.ts";

/** When the body and the reviews of a subject were last edited. The REST API does not report this. */
export interface Edits {
  /** Null if it was never edited. */
  body: string | null;
  /** By review id; null if never edited. Reviews that are not in the map are unknown. */
  reviews: Map<string, string | null>;
}

const query = `query ($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issueOrPullRequest(number: $number) {
      ... on Issue { lastEditedAt }
      ... on PullRequest { lastEditedAt reviews(last: 100) { nodes { fullDatabaseId lastEditedAt } } }
    }
  }
}`;

interface Answer {
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
    const answer = (await api.graphql(`read the edits of ${source.subject.key}`, query, variables, signal)) as Answer;
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
