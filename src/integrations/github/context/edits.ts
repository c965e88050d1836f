import { isProviderFailure } from "../../errors.ts";
import type { Place } from "./talk.ts";

/** When the body and the reviews of a subject were last edited. REST does not say. */
export interface Edits {
  /** Null: never. */
  body: string | null;
  /** By review id; those not in it were not looked at. */
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

/** Asks when things were edited; undefined where this GitHub cannot say, so that what is in doubt is left out. */
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
