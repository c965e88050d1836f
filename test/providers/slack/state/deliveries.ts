import type { App } from "./apps.ts";

/** A request to an app. */
export interface Outgoing {
  app: App;
  /** `event`: Slack retries it. All others are sent once, and the answer counts. */
  kind: "event" | "interaction" | "options" | "command" | "handshake";
  /** For example `app_mention`, `message`, `block_actions`. */
  type: string;
  url: string;
  /** A JSON object; forms carry it as `payload`. */
  payload: Record<string, unknown>;
  /** Send the fields of `payload` as a form, without `payload=` (slash commands). */
  fields?: boolean;
}

/** A request to an app and its attempts. */
export interface Delivery extends Outgoing {
  id: string;
  attempts: Attempt[];
  /** No attempt is in progress or scheduled. */
  done: boolean;
}

/** One attempt to deliver. */
export interface Attempt {
  at: string;
  headers: Record<string, string>;
  body: string;
  /** Undefined if there was no answer. */
  status: number | undefined;
  /** Why Slack retries: the next attempt's `X-Slack-Retry-Reason`. Null if the attempt succeeded. */
  reason: string | null;
  answer: string;
}
