import { z } from "zod";
import { conditions, objectName, timestamp } from "./common.ts";

/** The state that the operator observed at GitHub, and the hooks that it manages. */
export const gitHubIntegrationStatus = z.object({
  observedGeneration: z.int().min(0).optional().describe("The generation of `spec` that the operator last acted on."),
  conditions: conditions
    .optional()
    .describe("The conditions `Ready`, `CredentialsValid`, `WebhookInstalled` and `Stalled`."),
  webhookURL: z.string().max(2048).optional().describe("The URL that GitHub sends deliveries to."),
  hooks: z
    .array(
      z.object({
        target: z.string().max(300).describe("Target of the hook: `app`, an organisation, or `owner/name`."),
        id: z.string().max(40).optional().describe("GitHub's id of the hook; absent for the only hook of an App."),
        verifiedAt: timestamp.optional().describe("When the operator last verified the hook's settings."),
      }),
    )
    .max(300)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["target"] })
    .describe("The hooks that the operator manages."),
  triggers: z
    .array(
      z.object({
        name: objectName.describe("Name of the trigger."),
        since: timestamp.describe("When the operator first saw the trigger."),
      }),
    )
    .max(32)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
    .describe("Since when each trigger has been active."),
  bot: z
    .object({
      id: z.string().max(40).describe("Numeric id of the bot's account."),
      login: z.string().max(100).describe("Login of the bot's account; `<slug>[bot]` for an App."),
      mention: z.string().max(100).describe("The name that people write after `@` to mention the bot."),
    })
    .optional()
    .describe("The bot's account at GitHub."),
  installations: z
    .array(
      z.object({
        id: z.string().max(40).describe("The installation's id."),
        account: z.string().max(100).describe("The organisation or user on whose account the App is installed."),
        suspended: z.boolean().optional().describe("Whether GitHub or the owner has suspended the installation."),
      }),
    )
    .max(100)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"] })
    .describe("The App's installations that this integration covers."),
  tokenScope: z
    .enum(["PerTask", "Broad"])
    .optional()
    .describe("Whether the token of a task is limited to one repository."),
  keyGeneration: z.int().min(0).optional().describe("Generation of the current webhook secret."),
  lastHandledRotateAt: timestamp
    .optional()
    .describe(
      "The last value of `bellhop.dev/rotate-requested-at` that the operator handled: carried out, or refused with `RotationRefused`.",
    ),
  recoveredUntil: timestamp
    .optional()
    .describe("Up to which time the operator has searched for missed deliveries; never moves back."),
  lastTaskTime: timestamp.optional().describe("When a delivery last created a task; updated every few minutes."),
});

export type GitHubIntegrationStatus = z.infer<typeof gitHubIntegrationStatus>;
