import { z } from "zod";
import { codeHostRef, peopleAtCodeHost, repositoryName } from "./code-hosts.ts";
import { secretKeyRef } from "./common.ts";
import {
  exactlyOne,
  installURL,
  integrationKind,
  integrationSpec,
  integrationStatus,
  kubernetesAccess,
  reporting,
  serverURL,
  triggers,
} from "./integration.ts";
import type { Resource } from "./kind.ts";

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
const workspaceId = z
  .string()
  .min(2)
  .max(32)
  .regex(/^[TE][A-Z0-9]+$/);

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
  people: peopleAtCodeHost(userId.describe("Id of the person in Slack.")),
});

const oauth = z
  .object({
    clientId: z
      .string()
      .min(3)
      .max(64)
      .regex(/^[0-9]+\.[0-9]+$/)
      .describe("The app's client id, from the page `Basic Information`."),
    clientSecretRef: secretKeyRef.describe("The app's client secret, from the page `Basic Information`."),
    workspaces: z
      .array(workspaceId)
      .min(1)
      .max(50)
      .meta({
        "x-kubernetes-list-type": "set",
        "x-kubernetes-validations": [
          {
            rule: "self.filter(id, id.startsWith('E')).size() <= 1",
            message: "workspaces: name at most one organisation (E…); create a SlackApp for each organisation",
          },
        ],
      })
      .describe(
        "Ids of the workspaces (`T…`), and of at most one Enterprise Grid organisation (`E…`), that may install the app. " +
          "Everybody can open the install page: Bellhop refuses other workspaces, because their members could start tasks.",
      ),
  })
  .describe(
    "The install flow (OAuth v2): an administrator of each workspace opens `status.installURL`. Bellhop stores the tokens.",
  );

/** The connection to Slack: the app's credentials, triggers, access, and the code host where changes go. */
export const slackAppSpec = z.object({
  suspend: integrationSpec.suspend,
  url: serverURL("https://slack.com").describe(
    "Address of Slack, for example `https://slack-gov.com` for GovSlack. Immutable.",
  ),
  credentials: z
    .object({
      botTokenSecretRef: secretKeyRef
        .optional()
        .describe("The app's bot token, `xoxb-…`, from the page `OAuth & Permissions`; for one workspace."),
      oauth: oauth.optional(),
      signingSecretRef: secretKeyRef
        .optional()
        .describe(
          "The app's signing secret, from the page `Basic Information`: it verifies that deliveries to the webhook URL come from Slack.",
        ),
      appTokenSecretRef: secretKeyRef
        .optional()
        .describe(
          "An app-level token, `xapp-…` with the scope `connections:write`, from the page `Basic Information`. A gateway then opens a connection to Slack (Socket Mode), and the app needs no URL. Set it instead of `signingSecretRef`.",
        ),
    })
    .meta({
      "x-kubernetes-validations": [
        exactlyOne("credentials", ["botTokenSecretRef", "oauth"]),
        exactlyOne("credentials", ["signingSecretRef", "appTokenSecretRef"]),
      ],
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

/** The state that the operator observed at Slack. */
export const slackAppStatus = integrationStatus(
  {
    provider: "Slack",
    bot: {
      text: "The bot user in Slack; if the app is installed in several workspaces, that of the first.",
      id: "Id of the bot user.",
      login: "Name of the bot user.",
    },
    installations: {
      text: "The workspaces and organisations in which the app is installed.",
      id: "Id of the workspace, or of the Enterprise Grid organisation.",
      account: "Name of the workspace or organisation.",
    },
    tokenScope: "Always `Broad`: a bot token is valid for the workspace.",
  },
  {
    own: { installURL: installURL("the Slack app") },
    installation: {
      botId: z.string().max(40).optional().describe("Id of the bot user there."),
      problem: z
        .string()
        .max(1024)
        .optional()
        .describe("Why Bellhop cannot work there, for example because the app was removed; absent if it can."),
    },
  },
);

export const SlackAppKind = integrationKind({
  kind: "SlackApp",
  shortName: "ska",
  description:
    "Connects a Slack app: the messages and commands that create tasks, the people who may start them, and the code host where changes go.",
  spec: slackAppSpec,
  status: slackAppStatus,
});

export type SlackAppSpec = z.infer<typeof slackAppSpec>;
export type SlackAppStatus = z.infer<typeof slackAppStatus>;
export type SlackApp = Resource<SlackAppSpec, SlackAppStatus>;
