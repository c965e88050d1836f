import { z } from "zod";
import { gitName } from "../../api/git-name.ts";

/**
 * The courier's channel to the broker: HTTPS, JSON. `POST /v1/session` takes the pod-bound token as bearer token and returns a capability;
 * all other routes take the capability. Errors are `{error: {code, message}}` with a human-readable message.
 */
export const routes = {
  session: "/v1/session",
  events: "/v1/events",
  proposal: "/v1/proposal",
  /** No long polling: the courier asks every second while it waits for permission to publish, and every 10 s otherwise. */
  task: "/v1/task",
  /** `/git/<repository id>/info/refs`, `…/git-upload-pack`, `…/git-receive-pack`. */
  git: "/git",
} as const;

/** Answer to `POST /v1/session`. */
export const session = z.object({
  /** For the courier; permits every route. */
  capability: z.string(),
  /** For the agent; permits `info/refs` and `git-upload-pack` only. */
  agentCapability: z.string(),
  expiresAt: z.string(),
});
export type Session = z.infer<typeof session>;

/** One event of an agent, normalised from its dialect; a claim, not a fact. */
export const agentEvent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("progress"),
    text: z.string().max(512),
    checklist: z
      .array(z.object({ text: z.string().max(256), done: z.boolean() }))
      .max(32)
      .optional(),
  }),
  z.object({ type: z.literal("message"), text: z.string().max(4096) }),
  z.object({ type: z.literal("result"), summary: z.string().max(16_384) }),
]);
export type AgentEvent = z.infer<typeof agentEvent>;

/**
 * `POST /v1/events`: the events of at most 5 s, at most 1 MB. `sequence` is the number of earlier events of this attempt, so a repeated
 * batch does no harm.
 */
export const eventBatch = z.object({ sequence: z.int().min(0), events: z.array(agentEvent).max(1000) });
export type EventBatch = z.infer<typeof eventBatch>;

/** `POST /v1/proposal`: the push that the courier proposes; stored as `status.result.proposed`. */
export const proposal = z.object({
  attempt: z.int().min(1),
  ref: gitName,
  oldId: z.string().max(64).optional(),
  newId: z.string().max(64),
  files: z.int().min(0),
  patchKiB: z.int().min(0),
  protectedPaths: z.array(z.string().max(512)).max(64).optional(),
  skipped: z.array(z.string().max(512)).max(64).optional(),
  summary: z.string().max(16_384).optional(),
});
export type Proposal = z.infer<typeof proposal>;

/** Answer to `GET /v1/task`: the operator's current instructions, read live. */
export const taskState = z.object({
  /** True when this attempt is no longer the current one, or the task was cancelled. */
  stop: z.boolean(),
  /** Set when the push is allowed. */
  publish: z.object({ ref: z.string(), oldId: z.string().optional(), newId: z.string() }).optional(),
  /** Set when the operator has refused the output; the refusal is final. */
  refused: z.object({ reason: z.string(), message: z.string() }).optional(),
});
export type TaskState = z.infer<typeof taskState>;
