import { z } from "zod";
import { duration, localRef, objectName, timestamp } from "./common.ts";

/** Commands people give in a thread; a task that carries one does no work of its own. */
export const commands = ["stop", "retry", "status", "approve", "continue", "help"] as const;
export type Command = (typeof commands)[number];

/** A git object id, SHA-1 or SHA-256. */
export const sha = z
  .string()
  .max(64)
  .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const repository = z.object({
  id: z.string().min(1).max(64).describe("The host's own id; survives renames."),
  host: z.string().min(1).max(253).describe("Host name of the code host."),
  owner: z.string().min(1).max(100).describe("Organisation or user."),
  name: z.string().min(1).max(100).describe("Name of the repository."),
});

/** A person, as the provider or Kubernetes names them. */
export const actor = z.object({
  id: z.string().max(64).describe("The provider's own id of the person, or the Kubernetes user's uid."),
  login: z.string().min(1).max(253).describe("Login; for `kubernetes` the authenticated user name."),
});

const source = z.object({
  provider: z
    .string()
    .min(1)
    .max(32)
    .describe("`github`, …, or `kubernetes` for tasks that people create with kubectl."),
  event: z.string().max(64).optional().describe("The provider's event, for example `issue_comment`."),
  action: z.string().max(64).optional().describe("Its action, for example `created`."),
  deliveryId: z.string().max(128).optional().describe("The provider's id of the delivery; recorded, never decided on."),
  trigger: objectName.optional().describe("The trigger that rang."),
  signal: z
    .object({
      type: z.enum(["Mention", "Label", "Assignment", "ReviewRequest", "FailedChecks"]).describe("Its kind."),
      name: z
        .string()
        .min(1)
        .max(256)
        .optional()
        .describe(
          "The label, the login that was assigned or asked for a review, or the check that failed first; untrusted.",
        ),
    })
    .optional()
    .describe("What in the event matched the trigger, for the report; absent in tasks of older versions."),
  cause: z
    .string()
    .min(1)
    .max(512)
    .describe(
      "What made the event, named from bytes the signature covers, for example `issue_comment/7001`. One cause, one task.",
    ),
  url: z.string().max(2048).optional().describe("Where a person can read it."),
  subject: z
    .object({
      type: z.enum(["Issue", "Change", "Commit"]).describe("`Change` is a pull request or merge request."),
      key: z.string().min(1).max(253).describe("For people, for example `acme/shop#42`."),
      number: z.int().min(1).optional().describe("Number within the repository."),
      title: z.string().max(512).optional().describe("Title when the event was made, untrusted."),
    })
    .describe("What the event is about."),
  object: z
    .object({
      type: z
        .enum(["IssueComment", "Review", "ReviewComment", "Issue", "Change", "CheckSuite", "WorkflowRun"])
        .describe("Kind of the object that is read again before it is believed."),
      id: z.string().min(1).max(64).describe("The provider's id of it."),
      headSHA: sha.optional().describe("For checks: the commit they ran on."),
    })
    .optional()
    .describe("The very object that rang."),
  text: z
    .string()
    .max(65_536)
    .optional()
    .describe("The words that rang, untrusted; cut at 64 KiB with a visible mark."),
  textSHA256: z
    .string()
    .max(64)
    .optional()
    .describe("Hash of the whole text, hex; the operator compares it with what it reads again."),
  occurredAt: timestamp
    .optional()
    .describe("When it happened, by the provider's clock. What was said or edited later is no context of the task."),
  receivedAt: timestamp
    .optional()
    .describe(
      "When the gateway received it, to the millisecond: the order in which the tasks of a conversation run. For `kubernetes` the task's " +
        "creation counts instead.",
    ),
});

/** One piece of work, or one command, that came through a desk. Immutable but for `cancel`. */
export const agentTaskSpec = z
  .object({
    integrationRef: z
      .object({
        kind: z.enum(["GitHubIntegration"]).describe("Kind of the integration."),
        name: objectName.describe("Its name, in the same namespace."),
      })
      .describe("The integration it came through."),
    source: source.describe("Where it came from."),
    actor: actor.describe("Who asked."),
    conversation: z
      .string()
      .min(1)
      .max(253)
      .describe(
        "The issue, change or thread the task belongs to, as the event names it, for example `acme/shop#42`. One task of a conversation " +
          "runs at a time, in the order of receipt, and the next goes on with its branch. `status.conversation` is the one in force: for a change that Bellhop " +
          "opened it is that of the task which opened it.",
      ),
    command: z.enum(commands).optional().describe("What to do instead of work; absent for work."),
    commandArgument: z.string().max(64).optional().describe("For `approve`: the short commit id that is approved."),
    repository: repository.optional().describe("The repository to work in; absent for commands that need none."),
    prompt: z
      .string()
      .max(65_536)
      .optional()
      .describe("What the agent is asked: the trigger's words, then the person's; cut at 64 KiB with a visible mark."),
    profileRef: localRef.describe("The AgentProfile to work with."),
    limits: z
      .object({ wallClock: duration.optional().describe("The longest it may run; never more than the profile's.") })
      .optional()
      .describe("Tighter limits than the profile's."),
    retryOf: localRef.optional().describe("The task that this one does again."),
    cancel: z
      .object({
        by: z.string().min(1).max(253).describe("Who cancels: the authenticated user, or the actor of a `stop`."),
        reason: z.string().max(512).optional().describe("Why, for the report."),
      })
      .optional()
      .describe("Set once, to stop the task."),
  })
  .meta({
    "x-kubernetes-validations": [
      {
        rule:
          "[has(self.command) == has(oldSelf.command), has(self.commandArgument) == has(oldSelf.commandArgument), has(self.repository) == has(oldSelf.repository), " +
          "has(self.prompt) == has(oldSelf.prompt), has(self.limits) == has(oldSelf.limits), has(self.retryOf) == has(oldSelf.retryOf)].all(same, same) " +
          "&& self.integrationRef == oldSelf.integrationRef && self.source == oldSelf.source && self.actor == oldSelf.actor " +
          "&& self.conversation == oldSelf.conversation && self.profileRef == oldSelf.profileRef " +
          "&& (!has(self.command) || self.command == oldSelf.command) && (!has(self.commandArgument) || self.commandArgument == oldSelf.commandArgument) " +
          "&& (!has(self.repository) || self.repository == oldSelf.repository) && (!has(self.prompt) || self.prompt == oldSelf.prompt) " +
          "&& (!has(self.limits) || self.limits == oldSelf.limits) && (!has(self.retryOf) || self.retryOf == oldSelf.retryOf)",
        message: "spec is immutable; only spec.cancel may be set, once. Create a new task instead",
      },
      {
        rule: "!has(oldSelf.cancel) || (has(self.cancel) && self.cancel == oldSelf.cancel)",
        message: "spec.cancel is set once and stays",
      },
      {
        rule: "!has(self.commandArgument) || (has(self.command) && self.command == 'approve')",
        message: "commandArgument goes with command approve",
      },
      { rule: "has(self.command) || has(self.repository)", message: "a task that works needs a repository" },
    ],
  });

export type AgentTaskSpec = z.infer<typeof agentTaskSpec>;
export type TaskSource = z.infer<typeof source>;
export type Repository = z.infer<typeof repository>;
export type Actor = z.infer<typeof actor>;
