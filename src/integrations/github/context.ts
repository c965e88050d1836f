import type { ContextItem, ContextSource, RepositoryRef } from "../connection.ts";
import type { TaskSource } from "../../api/agent-task.ts";
import { permissionOf } from "./actors.ts";
import type { Api } from "./api.ts";
import type { GitHubClient } from "./client.ts";
import { readEdits, type Edits } from "./context/edits.ts";
import { readFailingLogs } from "./context/failing-log.ts";
import type { WhoAmI } from "./identity.ts";
import { reread } from "./reread.ts";
import { stripHidden } from "./markdown/strip.ts";
import { readComments, readReviewComments, readReviews, readSubject, type Place, type Said } from "./context/talk.ts";
import { cutBytes } from "../../shared/utf8.ts";

/** Permissions looked up for one task at most; whoever is beyond is not trusted. */
const maxAuthors = 40;
const cutMark = "\n… (cut: too long)";
const inDoubt = "(left out: it may have been edited after the task was asked for)";

/** Reads what rang, and what was said around it. */
export function contextSource(client: GitHubClient, who: WhoAmI): ContextSource {
  return {
    reread: async (source, repository, signal) =>
      reread(await client.forRepository(repository, signal), source, repository, signal),
    gather: async (source, repository, { until, budgetBytes }, signal) => {
      const api = await client.forRepository(repository, signal);
      const us = (await who(signal)).id;
      return gather({ api, source, repository, us, until, budgetBytes }, signal);
    },
  };
}

interface Wanted {
  api: Api;
  source: TaskSource;
  repository: RepositoryRef;
  /** Our own account: what we said ourselves is no context. */
  us: string;
  until: Date;
  budgetBytes: number;
}

async function gather(wanted: Wanted, signal: AbortSignal): Promise<ContextItem[]> {
  const { api, source, repository, budgetBytes } = wanted;
  const logs = await readFailingLogs(api, source, repository, { budgetBytes: Math.floor(budgetBytes / 2), signal });
  const rest = budgetBytes - logs.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  const talk = source.subject.number === undefined ? [] : await readTalk(wanted, source.subject.number, rest, signal);
  return [...talk, ...logs];
}

async function readTalk(
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
  // The title as the event named it: the one that is there now may be newer.
  const heading: Said = { ...body, kind: "title", text: source.subject.title ?? title, editedAt: body.createdAt };
  const said = [heading, body, ...others].filter(
    ({ author, createdAt, kind }) =>
      Date.parse(createdAt) <= wanted.until.getTime() &&
      (author.id !== wanted.us || kind === "title" || kind === "body"),
  );
  const trusted = await trustedAuthors(wanted, said, signal);
  const unedited = await withoutEdits(place, said, { until: wanted.until, trusted }, signal);
  return withinBudget(unedited, budgetBytes).map((item) => itemOf(item, trusted));
}

/** Drops what was edited after `until`. Bodies and reviews need a second look, for REST does not say when they were edited. */
async function withoutEdits(
  place: Place,
  said: Said[],
  { until, trusted }: { until: Date; trusted: Set<string> },
  signal: AbortSignal,
): Promise<Said[]> {
  const isSure = ({ kind, editedAt }: Said): boolean =>
    kind !== "review" && (kind !== "body" || Date.parse(editedAt ?? "") <= until.getTime());
  const edits = said.every(isSure) ? undefined : await readEdits(place, signal);
  return said.flatMap((one) => {
    if (isSure(one)) return Date.parse(one.editedAt ?? one.createdAt) <= until.getTime() ? [one] : [];
    const editedAt = editOf(edits, one);
    if (editedAt === null || (editedAt !== undefined && Date.parse(editedAt) <= until.getTime())) return [one];
    // Whoever may write here may also have edited it; from others it might be a trap.
    const keep = editedAt === undefined && trusted.has(one.author.id);
    return keep ? [one] : [{ ...one, text: inDoubt }];
  });
}

function editOf(edits: Edits | undefined, { kind, id }: Said): string | null | undefined {
  return kind === "body" ? edits?.body : edits?.reviews.get(String(id));
}

async function trustedAuthors({ api, repository }: Wanted, said: Said[], signal: AbortSignal): Promise<Set<string>> {
  const authors = new Map(said.map(({ author }) => [author.id, author]));
  const trusted = new Set<string>();
  for (const author of [...authors.values()].slice(0, maxAuthors)) {
    if (author.id === "" || author.login.endsWith("[bot]")) continue;
    const permission = await permissionOf(api, repository, author, signal);
    if (permission === "Write" || permission === "Maintain" || permission === "Admin") trusted.add(author.id);
  }
  return trusted;
}

/** Title, body and what rang come first, then the newest; the answer is oldest first. */
function withinBudget(said: Said[], budgetBytes: number): Said[] {
  const rank = ({ kind, close }: Said): number => (kind === "title" ? 0 : close ? 1 : 2);
  const byWorth = said
    .map((one) => ({ ...one, text: stripHidden(one.text) }))
    // GitHub's times are whole seconds; within one, the later id is the newer.
    .sort((a, b) => rank(a) - rank(b) || Date.parse(b.createdAt) - Date.parse(a.createdAt) || b.id - a.id);
  let left = budgetBytes;
  const chosen: Said[] = [];
  for (const one of byWorth) {
    const hunkBytes = Buffer.byteLength(one.location?.hunk ?? "");
    const room = left - hunkBytes;
    // Not even the mark would fit.
    if (Buffer.byteLength(one.text) > room && room <= Buffer.byteLength(cutMark)) break;
    const text = cutBytes(one.text, room, cutMark);
    left -= Buffer.byteLength(text) + hunkBytes;
    chosen.push({ ...one, text });
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

function itemOf({ author, kind, createdAt, text, location }: Said, trusted: Set<string>): ContextItem {
  return {
    author: author.login,
    trusted: trusted.has(author.id),
    createdAt,
    kind,
    text,
    ...(location ? { location } : {}),
  };
}
