import { z } from "zod";

/** The possible results of a courier's run. */
export const outcomeReasons = [
  "Published",
  "NoChanges",
  "AgentFailed",
  "AgentStalled",
  "WallClockExceeded",
  "Stopped",
  "OutputRefused",
  "PublishRefused",
  "PublishUnreachable",
  "AgentStillWriting",
  "WorkspaceUnreadable",
  "EgressNotEnforced",
  "CheckoutFailed",
  "BrokerUnreachable",
  "InternalError",
] as const;
export type OutcomeReason = (typeof outcomeReasons)[number];

/**
 * The courier's termination message: JSON, at most 2 KiB. The operator learns nothing else from the pod itself. Untrusted: it is parsed
 * with this schema, and compared with the code host before the operator relies on it.
 */
export const courierOutcome = z.object({
  version: z.literal(1),
  attempt: z.int().min(1),
  reason: z.enum(outcomeReasons),
  /** A human-readable sentence. */
  message: z.string().max(1024),
  exitCode: z.int().optional(),
  branch: z.string().max(255).optional(),
  commit: z.string().max(64).optional(),
  notProbed: z.array(z.string().max(64)).max(8).optional(),
});
export type CourierOutcome = z.infer<typeof courierOutcome>;

/** Maximum size of a termination message, in bytes. */
export const maxOutcomeBytes = 2048;
