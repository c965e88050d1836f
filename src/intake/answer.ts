/** What a sender is told; also what logs, metrics and `explain` show. */
export interface AnswerBody {
  status: "accepted" | "duplicate" | "ignored" | "refused";
  /** One CamelCase word, out of a fixed set. */
  reason: string;
  /** A sentence for people. */
  message: string;
  task?: { namespace: string; name: string };
}

/** An HTTP answer. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: AnswerBody;
  /** For our own log; never sent. */
  detail?: string;
}

/** How long a sender should wait when we cannot take more, in seconds. */
const retryAfterSeconds = 10;

/** 202: a task was made. */
export function accepted(task: { namespace: string; name: string }): Answer {
  return answer(202, { status: "accepted", reason: "TaskCreated", message: "A task was created.", task });
}

/** 200: the same cause made this task before. */
export function duplicate(task: { namespace: string; name: string }): Answer {
  return answer(200, { status: "duplicate", reason: "TaskExists", message: "This made a task before.", task });
}

/** 200: understood, and nothing to do. Never 4xx: providers switch hooks off that answer so. */
export function ignored(reason: string, message: string): Answer {
  return answer(200, { status: "ignored", reason, message });
}

/** 4xx and 5xx: not taken. */
export function refused(status: number, reason: string, message: string): Answer {
  return answer(status, { status: "refused", reason, message });
}

/** 401, the same whatever is wrong: which part of a forgery fails is nobody's business. */
export function unsigned(): Answer {
  return refused(401, "Unsigned", "The delivery is not signed with the secret of this hook.");
}

/** 429 or 503: not taken now, and when to come back. */
export function later(status: 429 | 503, reason: string, message: string, retryAfterMs?: number): Answer {
  const seconds = retryAfterMs === undefined ? retryAfterSeconds : Math.max(1, Math.ceil(retryAfterMs / 1_000));
  const busy = refused(status, reason, message);
  return { ...busy, headers: { ...busy.headers, "retry-after": String(seconds) } };
}

function answer(status: number, body: AnswerBody): Answer {
  return { status, headers: { "content-type": "application/json; charset=utf-8" }, body };
}
