import type { Api } from "../api.ts";
import { isProviderFailure } from "../../errors.ts";

/** More edits of one text are not read; the caller then does not know all editors. */
const maxEdits = 100;

const query = `query ($id: ID!, $edits: Int!) {
  node(id: $id) {
    ... on Comment {
      userContentEdits(last: $edits) {
        totalCount
        nodes { editor { ... on User { databaseId } ... on Bot { databaseId } } }
      }
    }
  }
}`;

interface Answer {
  node?: {
    userContentEdits?: {
      totalCount?: number;
      nodes?: ({ editor?: { databaseId?: number | null } | null } | null)[] | null;
    } | null;
  } | null;
}

/**
 * The ids of everybody who edited a text. Undefined if this server does not return editors, or not all of them: a deleted account has no id. The
 * REST API does not name editors. Source: GitHub, GraphQL reference, `UserContentEdit`.
 */
export async function editorsOf(
  api: Api,
  { nodeId, doing }: { nodeId: string | undefined; doing: string },
  signal: AbortSignal,
): Promise<string[] | undefined> {
  if (nodeId === undefined) return undefined;
  try {
    const answer = (await api.graphql(doing, query, { id: nodeId, edits: maxEdits }, signal)) as Answer;
    const { totalCount, nodes } = answer.node?.userContentEdits ?? {};
    const ids = (nodes ?? []).flatMap((edit) => (edit?.editor?.databaseId ? [String(edit.editor.databaseId)] : []));
    return ids.length === 0 || ids.length !== totalCount ? undefined : [...new Set(ids)];
  } catch (error) {
    if (isProviderFailure(error, "NotFound", "Invalid", "Forbidden")) return undefined;
    throw error;
  }
}
