import { z } from "zod";
import { actor, sha } from "./agent-task.ts";
import { conditions, objectName, timestamp } from "./common.ts";

/** What a person sees first; derived from the conditions, never decided on. */
export const phases = [
  "Pending",
  "Queued",
  "Preparing",
  "Running",
  "WaitingForInput",
  "Publishing",
  "Succeeded",
  "Failed",
  "Cancelled",
  "Refused",
  "Delivered",
  "Duplicate",
] as const;
export type Phase = (typeof phases)[number];

/** The condition types of a task, in the order of its life. */
export const taskConditions = [
  "Authorized",
  "ContextReady",
  "Admitted",
  "SandboxReady",
  "Succeeded",
  "Reported",
] as const;
export type TaskCondition = (typeof taskConditions)[number];

const gitRef = z.string().min(1).max(255);

const checkout = z.object({
  baseRef: gitRef.optional().describe("The branch a change would be merged into."),
  baseSHA: sha.optional().describe("Its tip when the task was prepared."),
  headRef: gitRef.optional().describe("The branch that is worked on and pushed to."),
  headSHA: sha.optional().describe("The commit the agent starts from; absent in an empty repository."),
  newBranch: z
    .boolean()
    .optional()
    .describe("Whether the task makes `headRef`; otherwise it moves it on from `headSHA`, forward only."),
  stacked: z
    .boolean()
    .optional()
    .describe("Whether the work goes to a branch of ours on top of somebody else's change."),
});

const publish = z.object({
  ref: gitRef.describe("The full ref, `refs/heads/…`."),
  oldId: sha.optional().describe("What the ref must point to before; absent when it must not exist."),
  newId: sha.describe("What it shall point to."),
});

/** How far a task has come. */
export const agentTaskStatus = z.object({
  observedGeneration: z.int().min(0).optional().describe("The generation of `spec` last acted on."),
  phase: z.enum(phases).optional().describe("Where it stands, for people; derived from the conditions."),
  conditions: conditions
    .optional()
    .describe("`Authorized`, `ContextReady`, `Admitted`, `SandboxReady`, `Succeeded`, `Reported`."),
  conversation: z.string().max(253).optional().describe("The conversation in force, resolved once."),
  requester: actor.optional().describe("On whose behalf it works, where that is not the sender (failed checks)."),
  checkout: checkout.optional().describe("What is checked out."),
  attempts: z
    .array(
      z.object({
        number: z.int().min(1).describe("1 for the first."),
        podName: z.string().max(253).describe("Its pod; written before the pod is created."),
        podUID: z.string().max(64).optional().describe("The pod's uid: the fence for pushes and results."),
        startedAt: timestamp.optional().describe("When the pod was created."),
        reason: z.string().max(64).optional().describe("Why it ended, where it did not succeed."),
        message: z.string().max(1024).optional().describe("The same for people."),
      }),
    )
    .max(16)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["number"] })
    .describe("Sandboxes tried, the newest last."),
  requests: z
    .array(
      z.object({
        type: z.enum(["stop", "approve"]).describe("What is asked of this task."),
        by: z.string().max(253).describe("Login of the person."),
        from: objectName.describe("The command task that brought it."),
        argument: z.string().max(64).optional().describe("For `approve`: the commit."),
      }),
    )
    .max(32)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["from"] })
    .describe("Commands that other tasks brought."),
  queue: z
    .object({
      position: z.int().min(0).describe("How many are ahead."),
      limit: z.string().max(253).describe("The limit that is reached, for people."),
      since: timestamp.describe("Since when it waits."),
    })
    .optional()
    .describe("While it waits for admission."),
  progress: z
    .object({
      updatedAt: timestamp.describe("When the courier last told."),
      step: z.string().max(512).optional().describe("What the agent says it is doing; a claim."),
      checklist: z
        .array(
          z.object({
            text: z.string().max(256).describe("A step, in the agent's words."),
            done: z.boolean().describe("Whether it is finished."),
          }),
        )
        .max(32)
        .optional()
        .meta({ "x-kubernetes-list-type": "atomic" })
        .describe("The agent's own plan; a claim."),
      attempt: z.int().min(1).optional().describe("The attempt that told it."),
      events: z.int().min(0).optional().describe("Events of the attempt seen so far."),
    })
    .optional()
    .describe("What the agent says of its work while it runs; written by the broker."),
  publish: publish
    .optional()
    .describe("The one push that the broker lets through; written by the operator after the output policy."),
  result: z
    .object({
      proposed: z
        .object({
          attempt: z.int().min(1).describe("The attempt that proposes."),
          ref: gitRef.describe("The ref to update."),
          oldId: sha.optional().describe("Its value before; absent for a new branch."),
          newId: sha.describe("The commit."),
          files: z.int().min(0).describe("Files changed."),
          patchKiB: z.int().min(0).describe("New content, KiB."),
          protectedPaths: z
            .array(z.string().max(512))
            .max(64)
            .optional()
            .meta({ "x-kubernetes-list-type": "atomic" })
            .describe("Protected paths that were touched."),
          skipped: z
            .array(z.string().max(512))
            .max(64)
            .optional()
            .meta({ "x-kubernetes-list-type": "atomic" })
            .describe("Paths left out, and why."),
        })
        .optional()
        .describe("What the courier would publish; written by the broker."),
      summary: z
        .string()
        .max(16_384)
        .optional()
        .describe("The agent's own words at the end; a claim, written by the broker."),
      branch: gitRef.optional().describe("The branch, as read at the host after the push."),
      commit: sha.optional().describe("The commit, as read at the host after the push."),
      changeURL: z.string().max(2048).optional().describe("The pull request."),
      changeNumber: z.int().min(1).optional().describe("Its number."),
      changeDraft: z.boolean().optional().describe("Whether it was a draft when the work was published."),
      heldUnsaid: z
        .boolean()
        .optional()
        .describe(
          "Whether the commit's checks are held and no text of a change of ours says so: then the report does.",
        ),
    })
    .optional()
    .describe("What came of it."),
  report: z
    .object({
      target: z.string().max(512).optional().describe("The thread of the report, for example `acme/shop#42`."),
      id: z.string().max(64).optional().describe("The message's id at the provider."),
      url: z.string().max(2048).optional().describe("Where a person can read it."),
      intent: z
        .string()
        .max(64)
        .optional()
        .describe("Set before the message is created: on doubt it is searched by its hidden marker."),
      quote: z
        .string()
        .max(256)
        .optional()
        .describe(
          "The first words of the request, on one line and without markup; untrusted. Empty where there are none. Read once.",
        ),
      revision: z.string().max(64).optional().describe("Hash of the last text posted."),
      toldAt: timestamp.optional().describe("When it was last posted or tried."),
      reacted: z.boolean().optional().describe("Whether the comment that made the task has its reaction."),
      failures: z.int().min(0).optional().describe("Failures in a row."),
      lastError: z.string().max(1024).optional().describe("Why it could not be posted, the last time."),
    })
    .optional()
    .describe("The one message in the original thread."),
  startTime: timestamp.optional().describe("When the first sandbox was created."),
  completionTime: timestamp.optional().describe("When it ended."),
  changeUnknownSince: timestamp
    .optional()
    .describe("Since when the host cannot be asked whether the change is closed; the task is deleted 30 days later."),
});

export type AgentTaskStatus = z.infer<typeof agentTaskStatus>;
export type Checkout = z.infer<typeof checkout>;
export type PublishCommand = z.infer<typeof publish>;
