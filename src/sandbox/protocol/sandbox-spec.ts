import { z } from "zod";
import { gitName } from "../../api/git-name.ts";

const sha = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);

/** Instructions for an attempt: the operator writes them into the attempt's ConfigMap as `sandbox.json`, and the courier reads them. No secrets. */
export const sandboxSpec = z.object({
  version: z.literal(1),
  task: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
  attempt: z.int().min(1),
  /** Base URL of the broker, https. */
  brokerURL: z.url(),
  repository: z.object({ id: z.string(), host: z.string(), owner: z.string(), name: z.string() }),
  checkout: z.object({
    /** The commit to start from; absent in an empty repository. */
    headSHA: sha.optional(),
    /** Local name of the branch in the agent's clone. */
    branch: gitName,
    baseRef: gitName.optional(),
  }),
  publish: z.object({
    /** `refs/heads/…`. */
    ref: gitName,
    /** The commit that the branch must point to; absent if the branch must not exist. */
    oldId: sha.optional(),
  }),
  commit: z.object({
    author: z.object({ name: z.string(), email: z.string() }),
    /** First line of the message; the agent's summary follows as the body. */
    subject: z.string(),
    /** `Key: value` lines at the end of the message, for example `Co-authored-by: …` and `skip-checks: true`. */
    trailers: z.array(z.string()),
    /** Fixed per attempt (RFC 3339), so that a restarted courier creates a commit with the same id. */
    date: z.string(),
  }),
  output: z.object({ protectedPaths: z.array(z.string()), maxFiles: z.int(), maxPatchKiB: z.int() }),
  limits: z.object({
    /** Maximum run time of the agent, counted from its own start. */
    wallClockMs: z.int(),
    stallMs: z.int(),
    /**
     * When the task reaches its time limit, in milliseconds since the epoch by the operator's clock. The time for pulling images and
     * checking out counts as run time. If the node's clock is ahead, the agent has that much less time; if it is behind, the agent has at
     * most `wallClockMs`.
     */
    deadlineMs: z.int(),
  }),
  /**
   * Addresses that must not answer before the agent starts; `notProbed` names those that are unknown. The checkout tries each over TCP, or,
   * for `dns`, with a query to a name server over UDP.
   */
  egress: z.object({
    probes: z.array(
      z.object({ name: z.string(), host: z.string(), port: z.int(), protocol: z.literal("dns").optional() }),
    ),
    notProbed: z.array(z.string()),
    /** Whether the profile accepts network policy engines that always allow traffic to the pod's own node. */
    acceptOwnNode: z.boolean(),
  }),
  agent: z.object({ type: z.enum(["custom"]), command: z.array(z.string()).min(1) }),
});
export type SandboxSpec = z.infer<typeof sandboxSpec>;
