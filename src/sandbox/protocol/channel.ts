import { z } from "zod";

/**
 * The courier's channel to the broker: HTTPS, JSON. `POST /v1/session` takes the pod-bound token as Bearer; everything else the
 * capability it answers. Errors are `{error: {code, message}}` with a human-readable message.
 */
export const routes = {
  session: "/v1/session",
  events: "/v1/events",
  proposal: "/v1/proposal",
  /** Long-poll free: the courier asks every second while it waits for permission to publish, every 10 s otherwise. */
  task: "/v1/task",
  /** `/git/<repository id>/info/refs`, `…/git-upload-pack`, `…/git-receive-pack`. */
  git: "/git",
} as const;

/** Answer to `POST /v1/session`. */
export const session = z.object({
  /** For the courier: every route. */
  capability: z.string(),
  /** For the agent: `info/refs` and `git-upload-pack` only. */
  agentCapability: z.string(),
  expiresAt: z.string(),
});
export type Session = z.infer<typeof session>;

/** One thing an agent said, normalised from its dialect; claims, not facts. */
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

/** `POST /v1/events`: a batch, at most 5 s or 1 MB. `sequence` is how many events of this attempt went before: a repeated batch is harmless. */
export const eventBatch = z.object({ sequence: z.int().min(0), events: z.array(agentEvent).max(1000) });
export type EventBatch = z.infer<typeof eventBatch>;

/** `POST /v1/proposal`: what the courier would publish; stored as `status.result.proposed`. */
export const proposal = z.object({
  attempt: z.int().min(1),
  ref: z.string().min(1).max(255),
  oldId: z.string().max(64).optional(),
  newId: z.string().max(64),
  files: z.int().min(0),
  patchKiB: z.int().min(0),
  protectedPaths: z.array(z.string().max(512)).max(64).optional(),
  skipped: z.array(z.string().max(512)).max(64).optional(),
  summary: z.string().max(16_384).optional(),
});
export type Proposal = z.infer<typeof proposal>;

/** Answer to `GET /v1/task`: what the operator wants now, read live. */
export const taskState = z.object({
  /** True when this attempt is no longer the current one, or the task was cancelled. */
  stop: z.boolean(),
  /** Set when the push is allowed. */
  publish: z.object({ ref: z.string(), oldId: z.string().optional(), newId: z.string() }).optional(),
  /** Set when the output was refused for good. */
  refused: z.object({ reason: z.string(), message: z.string() }).optional(),
});
export type TaskState = z.infer<typeof taskState>;
