import type { RepositoryRef } from "../code-host.ts";
import type { ContextItem, Source } from "../connection.ts";
import type { TaskSource } from "../../api/agent-task.ts";
import { permissionOf } from "./authorizer.ts";
import type { Api } from "./api.ts";
import { requestIn, visibleIn } from "./events/event.ts";
import { cutMark, possiblyEdited } from "../context-notes.ts";
import type { GitHubClient, WhoAmI } from "./client.ts";
import { readFailingLogs } from "./source/failing-log.ts";
import { reread } from "./source/reread.ts";
import { stripHidden } from "./markdown/strip.ts";
import {
  readComments,
  readEdits,
  readReviewComments,
  readReviews,
  readSubject,
  type Edits,
  type Place,
  type ThreadItem,
} from "./source/thread.ts";
import { cutBytes } from "../../shared/utf8.ts";

/** The most authors whose permission is looked up for one task. Further authors are not trusted. */
const maxAuthors = 40;

/** Reads the object that triggered a task, and its conversation. */
export function source(client: GitHubClient, who: WhoAmI): Source {
  return {
    reread: async ({ source, repository }, signal) =>
      repository
        ? reread(await client.forRepository(repository, signal), source, repository, signal)
        : { found: false, message: "The task names no repository." },
    request: (text, mention) => {
      const found = requestIn(text, mention);
      return found && { ...found, visibleText: visibleIn(text) };
    },
    gather: async ({ source, repository }, { until, budgetBytes }, signal) => {
      if (!repository) return [];
      const api = await client.forRepository(repository, signal);
      const ownId = (await who(signal)).id;
      return gather({ api, source, repository, ownId, until, budgetBytes }, signal);
    },
  };
}

interface Wanted {
  api: Api;
  source: TaskSource;
  repository: RepositoryRef;
  /** The id of our own account. Our own comments are left out of the context. */
  ownId: string;
  until: Date;
  budgetBytes: number;
}

async function gather(wanted: Wanted, signal: AbortSignal): Promise<ContextItem[]> {
  const { api, source, repository, budgetBytes } = wanted;
  const logs = await readFailingLogs(api, source, repository, { budgetBytes: Math.floor(budgetBytes / 2), signal });
  const rest = budgetBytes - logs.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  const thread =
    source.subject.number === undefined ? [] : await readThread(wanted, source.subject.number, rest, signal);
  return [...thread, ...logs];
}

async function readThread(
  wanted: Wanted,
  number: number,
  budgetBytes: number,
  signal: AbortSignal,
): Promise<ContextItem[]> {
  const { api, source, repository } = wanted;
  const place: Place = { api, source, repository, number, budgetBytes };
  const { title, body, comments } = await readSubject(place, signal);
  const change = source.subject.type === "Change";
  const others = [
    ...(await readComments(place, comments, signal)),
    ...(change ? await readReviews(place, signal) : []),
    ...(change ? await readReviewComments(place, signal) : []),
  ];
  // The title from the event, because the current title may have been edited since.
  const heading: ThreadItem = { ...body, kind: "title", text: source.subject.title ?? title, editedAt: body.createdAt };
  const items = [heading, body, ...others].filter(
    ({ author, createdAt, kind }) =>
      Date.parse(createdAt) <= wanted.until.getTime() &&
      (author.id !== wanted.ownId || kind === "title" || kind === "body"),
  );
  const trusted = await trustedAuthors(wanted, items, signal);
  const unedited = await withoutEdits(place, items, { until: wanted.until, trusted }, signal);
  return withinBudget(unedited, budgetBytes).map((item) => itemOf(item, trusted));
}

/**
 * Drops items that were edited after `until`. Bodies and reviews need a second request, because the REST API does not report when they
 * were edited.
 */
async function withoutEdits(
  place: Place,
  items: ThreadItem[],
  { until, trusted }: { until: Date; trusted: Set<string> },
  signal: AbortSignal,
): Promise<ThreadItem[]> {
  const isSure = ({ kind, editedAt }: ThreadItem): boolean =>
    kind !== "review" && (kind !== "body" || Date.parse(editedAt ?? "") <= until.getTime());
  const edits = items.every(isSure) ? undefined : await readEdits(place, signal);
  return items.flatMap((item) => {
    if (isSure(item)) return Date.parse(item.editedAt ?? item.createdAt) <= until.getTime() ? [item] : [];
    const editedAt = editOf(edits, item);
    if (editedAt === null || (editedAt !== undefined && Date.parse(editedAt) <= until.getTime())) return [item];
    // If GitHub cannot report edits, authors with write permission are trusted; a late edit by anyone else may be an attack.
    const keep = editedAt === undefined && trusted.has(item.author.id);
    return keep ? [item] : [{ ...item, text: possiblyEdited }];
  });
}

function editOf(edits: Edits | undefined, { kind, id }: ThreadItem): string | null | undefined {
  return kind === "body" ? edits?.body : edits?.reviews.get(String(id));
}

async function trustedAuthors(
  { api, repository }: Wanted,
  items: ThreadItem[],
  signal: AbortSignal,
): Promise<Set<string>> {
  const authors = new Map(items.map(({ author }) => [author.id, author]));
  const trusted = new Set<string>();
  for (const author of [...authors.values()].slice(0, maxAuthors)) {
    if (author.id === "" || author.login.endsWith("[bot]")) continue;
    const permission = await permissionOf(api, repository, author, signal);
    if (permission === "Write" || permission === "Maintain" || permission === "Admin") trusted.add(author.id);
  }
  return trusted;
}

/**
 * Chooses items within the budget: title, body and the triggering object have priority, then newer items. Returns title and body first,
 * then the others oldest first.
 */
function withinBudget(items: ThreadItem[], budgetBytes: number): ThreadItem[] {
  const rank = ({ kind, close }: ThreadItem): number => (kind === "title" ? 0 : close ? 1 : 2);
  const byPriority = items
    .map((item) => ({ ...item, text: stripHidden(item.text) }))
    // GitHub's times are whole seconds; within the same second, a higher id is newer.
    .sort((a, b) => rank(a) - rank(b) || Date.parse(b.createdAt) - Date.parse(a.createdAt) || b.id - a.id);
  let left = budgetBytes;
  const chosen: ThreadItem[] = [];
  for (const item of byPriority) {
    const hunkBytes = Buffer.byteLength(item.location?.hunk ?? "");
    const room = left - hunkBytes;
    // Not even the mark of a cut text would fit.
    if (Buffer.byteLength(item.text) > room && room <= Buffer.byteLength(cutMark)) break;
    const text = cutBytes(item.text, room, cutMark);
    left -= Buffer.byteLength(text) + hunkBytes;
    chosen.push({ ...item, text });
  }
  const order = ["title", "body"];
  return chosen.sort(
    (a, b) =>
      Number(order.includes(b.kind)) - Number(order.includes(a.kind)) ||
      order.indexOf(a.kind) - order.indexOf(b.kind) ||
      Date.parse(a.createdAt) - Date.parse(b.createdAt) ||
      a.id - b.id,
  );
}

function itemOf({ author, kind, createdAt, text, location }: ThreadItem, trusted: Set<string>): ContextItem {
  return {
    author: author.login,
    trusted: trusted.has(author.id),
    createdAt,
    kind,
    text,
    ...(location ? { location } : {}),
  };
}
