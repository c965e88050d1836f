import { z } from "zod";
import { codeHostRef } from "./agent-task.ts";
import { secretKeyRef } from "./common.ts";
import { immutable, integrationSpec, integrationStatus, kubernetesAccess, reporting, triggers } from "./integration.ts";

const userId = z
  .string()
  .min(2)
  .max(32)
  .regex(/^[UW][A-Z0-9]+$/);
const channelId = z
  .string()
  .min(2)
  .max(32)
  .regex(/^[CGD][A-Z0-9]+$/);
const userGroupId = z
  .string()
  .min(2)
  .max(32)
  .regex(/^S[A-Z0-9]+$/);
const repositoryName = z
  .string()
  .min(3)
  .max(201)
  .regex(/^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/);
const accountId = z
  .string()
  .min(1)
  .max(20)
  .regex(/^[0-9]{1,20}$/);
/** A person's login: it becomes part of commit messages. */
const accountLogin = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:_[A-Za-z0-9]+)?$/);

const slackTriggers = triggers({
  mention: z.object({}).optional().describe("Matches when a person mentions the bot in a channel."),
  directMessage: z.object({}).optional().describe("Matches when a person writes to the bot in a direct message."),
  slashCommand: z.object({}).optional().describe("Matches when a person uses the slash command with free text."),
  shortcut: z.object({}).optional().describe("Matches when a person uses the message shortcut on a message."),
});

const access = z.object({
  kubernetes: kubernetesAccess,
  guests: z
    .enum(["Deny", "Allow"])
    .default("Deny")
    .describe("Whether guests of the workspace (single-channel and multi-channel) may start tasks."),
  externalMembers: z
    .enum(["Deny", "Allow"])
    .default("Deny")
    .describe("Whether members of other workspaces may start tasks in channels that are shared with them."),
  userGroups: z
    .array(userGroupId)
    .max(64)
    .optional()
    .meta({ "x-kubernetes-list-type": "set" })
    .describe("Only members of these user groups may start tasks. Default: every member of the workspace."),
  channels: z
    .array(channelId)
    .max(256)
    .optional()
    .meta({ "x-kubernetes-list-type": "set" })
    .describe("Only these channels may start tasks. Default: every channel that the bot was invited to."),
  people: z
    .array(
      z.object({
        id: userId.describe("Id of the person in Slack."),
        codeHost: z
          .object({
            id: accountId.describe("Numeric id of the account at the code host."),
            login: accountLogin.describe("Login of the account at the code host."),
          })
          .describe("The person's account at the code host: for co-authorship, permissions and approvals."),
      }),
    )
    .max(1_000)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"] })
    .describe("Accounts of people at the code host. A person without an entry is nobody there: they cannot approve."),
});

/** The connection to Slack: the app's credentials, triggers, access, and the code host where changes go. */
export const slackAppSpec = z.object({
  suspend: integrationSpec.suspend,
  url: z
    .string()
    .min(9)
    .max(253)
    .regex(/^https:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$/)
    .default("https://slack.com")
    .meta(immutable("url"))
    .describe("Address of Slack, for example `https://slack-gov.com` for GovSlack. Immutable."),
  credentials: z
    .object({
      botTokenSecretRef: secretKeyRef.describe("The app's bot token, `xoxb-…`, from the page `OAuth & Permissions`."),
      signingSecretRef: secretKeyRef.describe(
        "The app's signing secret, from the page `Basic Information`: it verifies that deliveries come from Slack.",
      ),
    })
    .describe(
      "Credentials of the Slack app, as references to Secrets, each allowed for `SlackApp/<host of url>`, for example `SlackApp/slack.com`.",
    ),
  codeHostRef: codeHostRef.describe("The integration of the code host where the work is done and the change goes."),
  repositories: z
    .array(
      z.object({
        name: repositoryName.describe("The repository, `owner/name`; the integration of the code host must cover it."),
        channels: z
          .array(channelId)
          .min(1)
          .max(256)
          .meta({ "x-kubernetes-list-type": "set" })
          .describe("Requests from these channels are about the repository, unless they name another one."),
      }),
    )
    .max(256)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
    .describe("Which repository a request is about, by channel. Without an entry, Bellhop asks in the thread."),
  triggers: slackTriggers,
  access: access.prefault({}).describe("The people who may start tasks."),
  profileRef: integrationSpec.profileRef,
  concurrency: integrationSpec.concurrency,
  reporting: reporting("Whether Bellhop adds an `eyes` reaction at once to the message that triggers a task."),
});

const {
  webhookURL,
  observedGeneration,
  conditions,
  triggers: activeTriggers,
  ...counters
} = integrationStatus("Slack");

/** The state that the operator observed at Slack. */
export const slackAppStatus = z.object({
  observedGeneration,
  conditions,
  webhookURL,
  triggers: activeTriggers,
  bot: z
    .object({
      id: z.string().max(40).describe("Id of the bot user."),
      login: z.string().max(100).describe("Name of the bot user."),
      mention: z.string().max(100).describe("The name that people write after `@` to mention the bot."),
    })
    .optional()
    .describe("The bot user in Slack."),
  installations: z
    .array(
      z.object({
        id: z.string().max(40).describe("Id of the workspace, or of the Enterprise Grid organisation."),
        account: z.string().max(100).describe("Name of the workspace."),
      }),
    )
    .max(100)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"] })
    .describe("The workspaces that the bot token belongs to."),
  tokenScope: z
    .enum(["PerTask", "Broad"])
    .optional()
    .describe("Always `Broad`: a bot token is valid for the workspace."),
  ...counters,
});

export type SlackAppSpec = z.infer<typeof slackAppSpec>;
export type SlackAppStatus = z.infer<typeof slackAppStatus>;
