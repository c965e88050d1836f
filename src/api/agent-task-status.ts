import { z } from "zod";
import { actor, repository, sha } from "./agent-task.ts";
import { conditions, objectName, timestamp } from "./common.ts";
import { question } from "./question.ts";
import { gitName } from "./git-name.ts";

/** The human-readable summary of a task. Derived from the conditions; no decision depends on it. */
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

/** The condition types of a task, in the order of its lifecycle. */
export const taskConditions = [
  "Authorized",
  "RepositoryResolved",
  "Approved",
  "ContextReady",
  "Admitted",
  "SandboxReady",
  "Succeeded",
  "Reported",
] as const;
export type TaskCondition = (typeof taskConditions)[number];

const checkout = z.object({
  baseRef: gitName.optional().describe("The branch that a pull request is merged into."),
  goneBaseRef: gitName
    .optional()
    .describe(
      "The base that an earlier task of the conversation recorded, if it does not exist any more: `baseRef` replaces it.",
    ),
  baseSHA: sha.optional().describe("The tip of `baseRef` when the task was prepared."),
  headRef: gitName.optional().describe("The branch that the task works on and pushes to."),
  headSHA: sha.optional().describe("The commit that the agent starts from; absent if the repository is empty."),
  newBranch: z
    .boolean()
    .optional()
    .describe("Whether the task creates `headRef`. Otherwise it updates `headRef` from `headSHA`, fast-forward only."),
  stacked: z
    .boolean()
    .optional()
    .describe("Whether the task pushes to a new branch of Bellhop that starts from another person's pull request."),
});

const publish = z.object({
  ref: gitName.describe("The full ref, `refs/heads/…`."),
  oldId: sha
    .optional()
    .describe("The commit that the ref must point to before the push; absent if the ref must not exist."),
  newId: sha.describe("The commit that the ref points to after the push."),
});

/** The state of a task. */
export const agentTaskStatus = z.object({
  observedGeneration: z.int().min(0).optional().describe("The generation of `spec` that the operator last acted on."),
  phase: z.enum(phases).optional().describe("Human-readable summary of the state; derived from the conditions."),
  conditions: conditions
    .optional()
    .describe(
      "The conditions `Authorized`, `RepositoryResolved`, `Approved`, `ContextReady`, `Admitted`, `SandboxReady`, `Succeeded` and `Reported`.",
    ),
  conversation: z.string().max(253).optional().describe("The conversation that the task belongs to, resolved once."),
  conversationInstance: z
    .string()
    .max(253)
    .optional()
    .describe(
      "The instance of the provider where `conversation` takes place, for example `github.com`, or `T0123 SlackApp/slack`: the conversations of a chat belong to one integration. A comment on a change that was requested in a chat belongs to the chat's conversation. Default: `spec.source.instance`.",
    ),
  requester: actor
    .optional()
    .describe(
      "The person on whose behalf the task works, with the name that the provider has for them: the sender of the event, or for failed checks who requested the commit. Set when the task is authorised or refused.",
    ),
  repository: repository
    .extend({
      private: z.boolean().optional().describe("Whether only some people can read the repository."),
      from: z
        .enum(["Line", "Link", "Mapping", "OnlyOne", "Answer", "Conversation"])
        .describe(
          "Where the choice comes from: a line or a link in the request, a mapping in the integration, the only repository that it covers, the requester's answer, or an earlier task of the conversation.",
        ),
    })
    .optional()
    .describe("The repository that the task works in, if the event did not name it."),
  question: question.optional().describe("The question that the task waits for in the thread."),
  listed: z
    .array(objectName)
    .max(32)
    .optional()
    .meta({ "x-kubernetes-list-type": "atomic" })
    .describe(
      "For a command: the tasks that its answer lists, in this order. `stop 2` means the second one of the newest list.",
    ),
  request: z
    .object({
      prompt: z.string().max(65_536).describe("The prompt for the agent, used instead of `spec.prompt`; untrusted."),
    })
    .optional()
    .describe(
      "The request as it was when the task was authorised. Set if its author, and nobody else, edited it after the event and before the work began.",
    ),
  checkout: checkout.optional().describe("The commit and branch that the task checks out."),
  attempts: z
    .array(
      z.object({
        number: z.int().min(1).describe("Number of the attempt, from 1."),
        podName: z.string().max(253).describe("Name of the attempt's pod; written before the pod is created."),
        podUID: z
          .string()
          .max(64)
          .optional()
          .describe("Uid of the attempt's pod. Pushes and results are accepted from this pod only."),
        startedAt: timestamp.optional().describe("When the operator created the pod."),
        reason: z
          .string()
          .max(64)
          .optional()
          .describe("Why the attempt ended, if it did not succeed: one CamelCase word."),
        message: z.string().max(1024).optional().describe("Human-readable explanation of `reason`."),
      }),
    )
    .max(16)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["number"] })
    .describe("The attempts of the task, the newest last."),
  requests: z
    .array(
      z.object({
        type: z.enum(["stop", "approve", "use"]).describe("The command for this task."),
        by: z.string().max(253).describe("Login of the person who gave the command."),
        from: objectName.describe("Name of the AgentTask that carried the command."),
        argument: z
          .string()
          .max(256)
          .optional()
          .describe("For `approve`: the commit to approve. For `use`: the repository."),
      }),
    )
    .max(32)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["from"] })
    .describe("Commands for this task, each carried by another AgentTask."),
  queue: z
    .object({
      position: z.int().min(0).describe("Number of tasks ahead of this one."),
      limit: z.string().max(253).describe("The concurrency limit that is reached, human-readable."),
      since: timestamp.describe("Since when the task waits."),
    })
    .optional()
    .describe("The place in the queue; present while the task waits for admission."),
  progress: z
    .object({
      updatedAt: timestamp.describe("When the courier last sent progress."),
      step: z.string().max(512).optional().describe("The agent's current step, as the agent reports it; not verified."),
      checklist: z
        .array(
          z.object({
            text: z.string().max(256).describe("A step, as the agent describes it."),
            done: z.boolean().describe("Whether the agent reports the step as finished."),
          }),
        )
        .max(32)
        .optional()
        .meta({ "x-kubernetes-list-type": "atomic" })
        .describe("The agent's plan, as the agent reports it; not verified."),
      attempt: z.int().min(1).optional().describe("The attempt that reported this progress."),
      events: z.int().min(0).optional().describe("Number of events of the attempt received so far."),
    })
    .optional()
    .describe("Progress that the agent reports while it runs; written by the broker."),
  publish: publish
    .optional()
    .describe("The only push that the broker allows; written by the operator after the checks of the output policy."),
  result: z
    .object({
      proposed: z
        .object({
          attempt: z.int().min(1).describe("The attempt that proposes the push."),
          ref: gitName.describe("The ref that the push would update."),
          oldId: sha.optional().describe("The commit that the ref points to before the push; absent for a new branch."),
          newId: sha.describe("The commit that the push would publish."),
          files: z.int().min(0).describe("Number of changed files."),
          patchKiB: z.int().min(0).describe("Size of the new content, in KiB."),
          protectedPaths: z
            .array(z.string().max(512))
            .max(64)
            .optional()
            .meta({ "x-kubernetes-list-type": "atomic" })
            .describe("Protected paths that the commit changes."),
          skipped: z
            .array(z.string().max(512))
            .max(64)
            .optional()
            .meta({ "x-kubernetes-list-type": "atomic" })
            .describe("Paths that the commit leaves out, each with the reason."),
        })
        .optional()
        .describe("The push that the courier proposes; written by the broker."),
      summary: z
        .string()
        .max(16_384)
        .optional()
        .describe("The agent's final summary; not verified. Written by the broker."),
      branch: gitName.optional().describe("The branch, as read at the code host after the push."),
      commit: sha.optional().describe("The commit, as read at the code host after the push."),
      changeURL: z.string().max(2048).optional().describe("URL of the pull request."),
      changeNumber: z.int().min(1).optional().describe("Number of the pull request."),
      changeDraft: z.boolean().optional().describe("Whether the pull request was a draft when the work was published."),
      changeNote: z
        .string()
        .max(1024)
        .optional()
        .describe("Differences of the pull request from the profile and the checkout: another base, or no draft."),
      heldUnsaid: z
        .boolean()
        .optional()
        .describe(
          "Whether the report must say that the commit's checks are held, because no pull request of Bellhop says it.",
        ),
    })
    .optional()
    .describe("The result of the task."),
  report: z
    .object({
      target: z
        .string()
        .max(512)
        .optional()
        .describe("The thread that the report is posted to, for example `acme/shop#42`."),
      id: z.string().max(128).optional().describe("The message's id at the provider."),
      url: z.string().max(2048).optional().describe("URL of the report."),
      conversation: z
        .string()
        .max(253)
        .optional()
        .describe(
          "The conversation in the thread of the report, if the request was in no thread, as a slash command. It replaces `spec.conversation`.",
        ),
      intent: z
        .string()
        .max(64)
        .optional()
        .describe(
          "Written before the report is posted. If the outcome of the post is unknown, the report is searched by this hidden marker.",
        ),
      quote: z
        .string()
        .max(256)
        .optional()
        .describe(
          "The start of the request, on one line and without markup; untrusted. Empty if there is none. Read once.",
        ),
      revision: z.string().max(64).optional().describe("Hash of the text that was last posted."),
      toldAt: timestamp.optional().describe("When Bellhop last posted the report or tried to."),
      reacted: z
        .boolean()
        .optional()
        .describe("Whether Bellhop added its reaction to the comment that triggered the task."),
      failures: z.int().min(0).optional().describe("Number of consecutive failures to post the report."),
      lastError: z.string().max(1024).optional().describe("Why the last post failed."),
      locked: z
        .boolean()
        .optional()
        .describe(
          "Whether the thread takes no messages (locked or archived). It is asked once more when the task ends.",
        ),
    })
    .optional()
    .describe("The report: the one message in the thread that Bellhop keeps up to date."),
  startTime: timestamp.optional().describe("When the operator created the first sandbox."),
  completionTime: timestamp.optional().describe("When the task ended."),
  changeUnknownSince: timestamp
    .optional()
    .describe(
      "Since when the code host cannot be asked whether the pull request is closed. The task is deleted 30 days later.",
    ),
});

export type AgentTaskStatus = z.infer<typeof agentTaskStatus>;
export type Checkout = z.infer<typeof checkout>;
export type PublishCommand = z.infer<typeof publish>;
