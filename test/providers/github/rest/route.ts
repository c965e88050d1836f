import type { Identity } from "../auth.ts";
import type { Level } from "../state/accounts.ts";
import type { Repository } from "../state/repositories.ts";
import type { Delivery } from "../state/hooks.ts";
import type { World } from "../state/world.ts";

/**
 * Who may call a route. `everyone` needs no token. `app`: an App's JWT. `installation`, `user`: such a token. `member`: a token of whatever kind.
 * `read:issues|pull_requests`, `write:contents`: a token with one of these permissions on the repository of the path.
 */
export type Access = "everyone" | "app" | "installation" | "user" | "member" | `org:${Level}` | `${Level}:${string}`;

/** The input of a handler. */
export interface Call {
  world: World;
  identity: Identity;
  /** Path parameters, decoded. */
  params: Record<string, string>;
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** The requested path without the query, for Link headers. */
  path: string;
  redeliver: (delivery: Delivery) => void;
}

/** A call on a repository that the caller may see. */
export interface RepoCall extends Call {
  repo: Repository;
}

/** The answer of a handler: JSON, or text if `text` is set. */
export interface Answer {
  status: number;
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
}

/** An entry of the table: `METHOD /path/{parameter}`, named as GitHub's description names it. */
export interface Route {
  operation: string;
  access: Access;
  handle: (call: Call) => Answer | Promise<Answer>;
}

/** An entry for a path under `/repos/{owner}/{repo}`. */
export function onRepo(operation: string, access: Access, handle: (call: RepoCall) => Answer | Promise<Answer>): Route {
  // The access check has found the repository before a handler runs.
  return { operation, access, handle: (call) => handle(call as RepoCall) };
}

/** An entry for any other path. */
export function on(operation: string, access: Access, handle: (call: Call) => Answer | Promise<Answer>): Route {
  return { operation, access, handle };
}

/** An answer 200 with a body. */
export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** An answer 201 with a body. */
export function created(body: unknown): Answer {
  return { status: 201, body };
}

/** An answer 204. */
export const noContent: Answer = { status: 204 };
