import { z } from "zod";
import { codeHostRef } from "./code-hosts.ts";
import { duration, localRef, objectName, timestamp } from "./common.ts";
import { integrationKindNames } from "./integration-kinds.ts";

/** The commands that people give in a thread. A task that carries a command runs no agent. */
export const commands = ["stop", "retry", "status", "approve", "continue", "help", "use", "unclear"] as const;
export type Command = (typeof commands)[number];

/** A git object id, SHA-1 or SHA-256. */
export const sha = z
  .string()
  .max(64)
  .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);

export const repository = z.object({
  id: z
    .string()
    .min(1)
    .max(64)
    .describe("The code host's id of the repository; stays the same when the repository is renamed."),
  host: z.string().min(1).max(253).describe("Host name of the code host."),
  owner: z.string().min(1).max(100).describe("Organisation or user that owns the repository."),
  name: z.string().min(1).max(100).describe("Name of the repository."),
});

/** A person, as the provider or Kubernetes identifies them. */
export const actor = z.object({
  id: z.string().max(128).describe("The provider's id of the person, or the uid of the Kubernetes user."),
  login: z.string().min(1).max(253).describe("Login at the provider; for `kubernetes` the authenticated user name."),
});

const source = z.object({
  provider: z
    .string()
    .min(1)
    .max(32)
    .describe(
      "The provider of the event, for example `github`; or `kubernetes` for tasks that people create with kubectl.",
    ),
  instance: z
    .string()
    .max(253)
    .optional()
    .describe(
      "The provider's instance that ids and conversations belong to, for example `github.com` or a Slack workspace `T0123`. Absent in tasks of older versions.",
    ),
  event: z.string().max(64).optional().describe("The provider's name of the event, for example `issue_comment`."),
  action: z.string().max(64).optional().describe("The event's action, for example `created`."),
  deliveryId: z
    .string()
    .max(128)
    .optional()
    .describe("The provider's id of the delivery. Recorded only; no decision depends on it."),
  trigger: objectName.optional().describe("Name of the trigger that matched the event."),
  signal: z
    .object({
      type: z
        .enum([
          "Mention",
          "DirectMessage",
          "SlashCommand",
          "Shortcut",
          "Action",
          "Label",
          "Assignment",
          "ReviewRequest",
          "FailedChecks",
        ])
        .describe("Kind of the signal. `Action` is a button or menu in a message of Bellhop."),
      name: z
        .string()
        .min(1)
        .max(256)
        .optional()
        .describe(
          "The label, the login that was assigned or asked for a review, or the check that failed first; untrusted text.",
        ),
      followUp: z
        .boolean()
        .optional()
        .describe(
          "For `Mention`: the message does not mention the bot, but follows in a thread that the bot takes part in. Such a message gets no answer " +
            "if its author may not ask for work.",
        ),
    })
    .optional()
    .describe(
      "The signal in the event that matched the trigger; shown in the report. Absent in tasks of older versions.",
    ),
  channel: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe(
      "For chats: the channel of the request. `/bellhop status` and `/bellhop stop` find the work of a channel by it. Absent in tasks of older versions.",
    ),
  cause: z
    .string()
    .min(1)
    .max(512)
    .describe(
      "The cause of the event, read from bytes that the signature covers, for example `issue_comment/7001`. One cause creates one task.",
    ),
  url: z.string().max(2048).optional().describe("URL at which a person can read the event."),
  subject: z
    .object({
      type: z
        .enum(["Issue", "Change", "Commit", "Thread"])
        .describe("`Change` is a pull request or merge request; `Thread` is a conversation in a chat."),
      key: z.string().min(1).max(253).describe("Human-readable name, for example `acme/shop#42`."),
      number: z.int().min(1).optional().describe("Number within the repository."),
      title: z.string().max(512).optional().describe("Title at the time of the event; untrusted text."),
      createdAt: timestamp
        .optional()
        .describe(
          "When the issue or change was created. A label, assignment or review request within seconds of it belongs to the same request.",
        ),
    })
    .describe("The issue, change or commit that the event is about."),
  object: z
    .object({
      type: z
        .enum([
          "IssueComment",
          "Review",
          "ReviewComment",
          "Issue",
          "Change",
          "CheckSuite",
          "WorkflowRun",
          "Message",
          "Command",
        ])
        .describe(
          "Kind of the object. The operator reads it again from the provider before it trusts the event; a `Command` (slash command, button or menu) exists only in the signed delivery.",
        ),
      id: z.string().min(1).max(128).describe("The provider's id of the object."),
      headSHA: sha.optional().describe("For checks: the commit that they ran on."),
    })
    .optional()
    .describe("The object that triggered the task."),
  text: z
    .string()
    .max(65_536)
    .optional()
    .describe("The text that triggered the task; untrusted. Cut at 64 KiB with a visible mark."),
  textSHA256: z
    .string()
    .max(64)
    .optional()
    .describe(
      "SHA-256 of the whole text, in hex. The operator compares it with the text that it reads again from the provider.",
    ),
  occurredAt: timestamp
    .optional()
    .describe(
      "When the event happened, by the provider's clock. Text that was written or edited later is not part of the task's context.",
    ),
  receivedAt: timestamp
    .optional()
    .describe(
      "When the gateway received the event, to the millisecond. The tasks of a conversation run in this order. For `kubernetes` the time " +
        "of the task's creation is used instead.",
    ),
});

/** One piece of work, or one command, that an event of an integration created. Immutable except for `cancel`. */
export const agentTaskSpec = z
  .object({
    integrationRef: z
      .object({
        kind: z.enum(integrationKindNames).describe("Kind of the integration."),
        name: objectName.describe("Name of the integration, in the same namespace."),
      })
      .describe("The integration whose event created the task."),
    codeHostRef: codeHostRef
      .optional()
      .describe("The integration of the code host where the change goes. Default: `integrationRef`."),
    source: source.describe("The event that created the task."),
    actor: actor.describe("The person who asked for the task."),
    conversation: z
      .string()
      .min(1)
      .max(253)
      .describe(
        "The issue, change or thread that the task belongs to, by the provider's ids, for example `9001#42` (repository and number), so that a renamed " +
          "repository keeps its conversations. One task of a conversation " +
          "runs at a time, in the order of receipt, and the next task continues on its branch. `status.conversation` is the conversation that counts: " +
          "for a change that Bellhop opened, it is the conversation of the task that opened the change.",
      ),
    command: z
      .enum(commands)
      .optional()
      .describe(
        "The command to carry out instead of running an agent; absent for tasks that run an agent. `unclear`: a short text with the word of a " +
          "command that is no command; it is answered with a question.",
      ),
    commandArgument: z
      .string()
      .max(256)
      .optional()
      .describe(
        "For `approve`: the short id of the commit to approve. For `use`: the repository, `owner/name`; without one the person is asked to choose. For `stop` as a slash command: the name of " +
          "a task, its number in the list that the person saw last, or `all` of their own.",
      ),
    commandTarget: objectName
      .optional()
      .describe(
        "The task that the command is for. Set if a person used a button or menu of a report: the task of that report.",
      ),
    commandMessage: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe(
        "Id of the message whose button or menu a person used. The command is refused if it is not the report of `commandTarget`. Absent for messages that only that person sees.",
      ),
    repository: repository
      .optional()
      .describe(
        "The repository that the task works in, if the event names one. Otherwise it is resolved before admission: see `status.repository`.",
      ),
    prompt: z
      .string()
      .max(65_536)
      .optional()
      .describe(
        "The prompt for the agent: the trigger's prompt, then the person's text. Cut at 64 KiB with a visible mark.",
      ),
    profileRef: localRef.describe("The AgentProfile that the task uses."),
    limits: z
      .object({
        wallClock: duration.optional().describe("Maximum run time of the task; never more than the profile allows."),
      })
      .optional()
      .describe("Limits for this task that are stricter than those of the profile."),
    retryOf: localRef.optional().describe("The task that this task retries."),
    cancel: z
      .object({
        by: z
          .string()
          .min(1)
          .max(253)
          .describe(
            "The person who cancels: the authenticated Kubernetes user, or the person who gave the command `stop`.",
          ),
        reason: z.string().max(512).optional().describe("The reason for the cancellation; shown in the report."),
      })
      .optional()
      .describe("Stops the task. Can be set once."),
  })
  .meta({
    "x-kubernetes-validations": [
      {
        rule:
          "[has(self.command) == has(oldSelf.command), has(self.commandArgument) == has(oldSelf.commandArgument), has(self.commandTarget) == has(oldSelf.commandTarget), has(self.commandMessage) == has(oldSelf.commandMessage), has(self.repository) == has(oldSelf.repository), " +
          "has(self.prompt) == has(oldSelf.prompt), has(self.limits) == has(oldSelf.limits), has(self.retryOf) == has(oldSelf.retryOf), has(self.codeHostRef) == has(oldSelf.codeHostRef)].all(same, same) " +
          "&& self.integrationRef == oldSelf.integrationRef && self.source == oldSelf.source && self.actor == oldSelf.actor " +
          "&& self.conversation == oldSelf.conversation && self.profileRef == oldSelf.profileRef " +
          "&& (!has(self.command) || self.command == oldSelf.command) && (!has(self.commandArgument) || self.commandArgument == oldSelf.commandArgument) " +
          "&& (!has(self.commandTarget) || self.commandTarget == oldSelf.commandTarget) && (!has(self.commandMessage) || self.commandMessage == oldSelf.commandMessage) " +
          "&& (!has(self.repository) || self.repository == oldSelf.repository) && (!has(self.prompt) || self.prompt == oldSelf.prompt) " +
          "&& (!has(self.limits) || self.limits == oldSelf.limits) && (!has(self.retryOf) || self.retryOf == oldSelf.retryOf) " +
          "&& (!has(self.codeHostRef) || self.codeHostRef == oldSelf.codeHostRef)",
        message: "spec is immutable; only spec.cancel may be set, once. Create a new task instead",
      },
      {
        rule: "!has(oldSelf.cancel) || (has(self.cancel) && self.cancel == oldSelf.cancel)",
        message: "spec.cancel can be set only once and is immutable afterwards",
      },
      {
        rule: "!has(self.commandArgument) || (has(self.command) && self.command in ['approve', 'use', 'stop'])",
        message: "spec.commandArgument is allowed only with spec.command approve, use or stop",
      },
      {
        rule: "!has(self.commandTarget) || has(self.command)",
        message: "spec.commandTarget is allowed only with spec.command",
      },
      {
        rule: "!has(self.commandMessage) || has(self.commandTarget)",
        message: "spec.commandMessage is allowed only with spec.commandTarget",
      },
      {
        rule: "has(self.command) || has(self.repository) || has(self.codeHostRef)",
        message:
          "spec.repository is required for a task without spec.command, unless spec.codeHostRef names the code host to find it at",
      },
    ],
  });

export type AgentTaskSpec = z.infer<typeof agentTaskSpec>;
export type TaskSource = z.infer<typeof source>;
export type Repository = z.infer<typeof repository>;
export type Actor = z.infer<typeof actor>;
