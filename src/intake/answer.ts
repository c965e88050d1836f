import type { HttpReply } from "../integrations/ingress.ts";
import { defined } from "../shared/defined.ts";

/** The body of an answer to a sender. Logs, metrics and `explain` show the same fields. */
export interface AnswerBody {
  status: "accepted" | "duplicate" | "ignored" | "refused";
  /** One CamelCase word out of a fixed set. */
  reason: string;
  /** A human-readable sentence. */
  message: string;
  task?: { namespace: string; name: string };
  /** The command that the task carries out. */
  command?: string;
}

/** An HTTP answer. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: AnswerBody;
  /** The answer in the provider's own form, sent instead of `body`. */
  reply?: HttpReply;
  /** Nothing about the delivery may be logged. */
  private?: boolean;
  /** Details for our log; never sent. */
  detail?: string;
}

/** Default of `Retry-After`, in seconds. */
const retryAfterSeconds = 10;

/** 202: a task was created; `command` is the command that it carries out. */
export function accepted(task: { namespace: string; name: string }, command?: string): Answer {
  const message = "A task was created.";
  return answer(202, { status: "accepted", reason: "TaskCreated", message, task, ...defined({ command }) });
}

/** 200: an earlier delivery of the same cause created this task. */
export function duplicate(task: { namespace: string; name: string }): Answer {
  return answer(200, {
    status: "duplicate",
    reason: "TaskExists",
    message: "The task for this cause already exists.",
    task,
  });
}

/** 200: the delivery is valid and creates no task. Never 4xx: providers disable hooks that answer with 4xx. */
export function ignored(reason: string, message: string): Answer {
  return answer(200, { status: "ignored", reason, message });
}

/** The answer to a check of the URL, in the provider's own form. */
export function handshake(reply: HttpReply): Answer {
  const message = "The provider checked the URL.";
  return { ...answer(200, { status: "ignored", reason: "Handshake", message }), reply };
}

/** The answer to a question of the provider, in its own form. It may hold what a person typed, so nothing is logged. */
export function replied(reply: HttpReply): Answer {
  const message = "The provider asked for the choices of a menu.";
  return { ...answer(200, { status: "ignored", reason: "Replied", message }), reply, private: true };
}

/** 4xx and 5xx: the delivery was rejected. */
export function refused(status: number, reason: string, message: string): Answer {
  return answer(status, { status: "refused", reason, message });
}

/** 401. The answer is always the same, so that a forger does not learn which check failed. */
export function unsigned(): Answer {
  return refused(
    401,
    "Unsigned",
    "The delivery is not signed with the secret of this hook. Check the secret in the webhook's settings.",
  );
}

/** 429 or 503: the delivery was not accepted now; `Retry-After` says when to send it again. */
export function retryLater(status: 429 | 503, reason: string, message: string, retryAfterMs?: number): Answer {
  const seconds = retryAfterMs === undefined ? retryAfterSeconds : Math.max(1, Math.ceil(retryAfterMs / 1_000));
  const refusal = refused(status, reason, message);
  return { ...refusal, headers: { ...refusal.headers, "retry-after": String(seconds) } };
}

function answer(status: number, body: AnswerBody): Answer {
  return { status, headers: { "content-type": "application/json; charset=utf-8" }, body };
}
