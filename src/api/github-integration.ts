import { z } from "zod";
import { conditions, duration, localRef, objectName, secretKeyRef, timestamp } from "./common.ts";

const login = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:_[A-Za-z0-9]+)?$/);

const repositoryName = z
  .string()
  .min(3)
  .max(141)
  .regex(/^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/);

const exactlyOne = (what: string, fields: readonly string[]): object => ({
  rule: `[${fields.map((field) => `has(self.${field})`).join(", ")}].filter(set, set).size() == 1`,
  message: `${what}: set exactly one of ${fields.join(", ")}`,
});

/** What hooks, keys and route belong to: with another, those of before would be left at GitHub. */
const stays = (what: string): Record<string, unknown> => ({
  "x-kubernetes-validations": [{ rule: "self == oldSelf", message: `${what} is immutable: create a new integration` }],
});

const credentials = z
  .object({
    app: z
      .object({
        appId: z
          .int()
          .min(1)
          .max(2_147_483_647)
          .meta(stays("appId"))
          .describe("The App's numeric id, from its settings page. Immutable."),
        privateKeySecretRef: secretKeyRef.describe("The App's private key, PEM (PKCS#1 or PKCS#8)."),
      })
      .optional()
      .describe("A GitHub App. Recommended: tokens are minted per task, for one repository, for an hour."),
    token: z
      .object({ secretRef: secretKeyRef.describe("A personal access token of the bot user.") })
      .optional()
      .describe(
        "A personal access token of a bot user. Its scope cannot be narrowed per task: shown as `TokenScope=Broad`.",
      ),
  })
  .meta({
    "x-kubernetes-validations": [
      exactlyOne("credentials", ["app", "token"]),
      {
        rule: "has(self.app) == has(oldSelf.app)",
        message: "credentials: the kind is immutable: create a new integration",
      },
    ],
  });

const webhook = z.object({
  install: z
    .enum(["Auto", "Manual"])
    .default("Auto")
    .describe(
      "`Auto`: the operator installs and repairs the webhook. `Manual`: a person does, with `status.webhookURL`; hooks that the operator made are removed.",
    ),
  acceptedKeysRef: secretKeyRef
    .optional()
    .describe(
      "A further webhook secret that deliveries may be signed with: of hooks that exist already, or with `install: Manual` the one you set.",
    ),
  takeOver: z
    .boolean()
    .default(false)
    .describe(
      "Whether an App hook that points at another URL may be overwritten. Without it the operator stops and says so.",
    ),
});

const triggerKinds = ["mention", "label", "assignment", "reviewRequest", "failedChecks"] as const;

const trigger = z
  .object({
    name: objectName.describe("Name of the trigger, unique in the integration; appears in tasks, logs and `explain`."),
    mention: z
      .object({})
      .optional()
      .describe("Rings when a person mentions the bot in an issue, a change, a review or a comment."),
    label: z
      .object({ name: z.string().min(1).max(100).describe("The label, compared without case.") })
      .optional()
      .describe("Rings when the label is put on an issue or a change."),
    assignment: z
      .object({ login: login.describe("The user account whose assignment signals. An App cannot be assigned.") })
      .optional()
      .describe("Rings when an issue or a change is assigned to the named user."),
    reviewRequest: z
      .object({ login: login.describe("The user account whose review is asked for. An App cannot be asked.") })
      .optional()
      .describe("Rings when a review is asked of the named user."),
    failedChecks: z
      .object({})
      .optional()
      .describe("Rings when checks fail on a branch that Bellhop pushed, at most `output.fixLoops` times a change."),
    when: z
      .string()
      .min(1)
      .max(2048)
      .optional()
      .describe(
        "A CEL expression over `event` (normalised) and `body` (as delivered); the trigger rings only where it is true.",
      ),
    profileRef: localRef.optional().describe("The AgentProfile for tasks of this trigger; default: the integration's."),
    prompt: z
      .string()
      .max(16_384)
      .optional()
      .describe("What to ask of the agent, put before the words of the person who asked."),
  })
  .meta({ "x-kubernetes-validations": [exactlyOne("trigger", triggerKinds)] });

/** What a platform team writes to connect GitHub. */
export const gitHubIntegrationSpec = z
  .object({
    suspend: z
      .boolean()
      .default(false)
      .describe("Stops new tasks; deliveries are answered 200 `ignored`. Running tasks go on."),
    url: z
      .string()
      .min(9)
      .max(253)
      .regex(/^https:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$/)
      .default("https://github.com")
      .meta(stays("url"))
      .describe(
        "Web address of GitHub or of a GitHub Enterprise Server, https, lower case, without a path. Immutable.",
      ),
    organization: login.optional().describe("Covers every repository of this organisation or user account."),
    repositories: z
      .array(repositoryName)
      .max(256)
      .optional()
      .meta({ "x-kubernetes-list-type": "set" })
      .describe("Covers these repositories, `owner/name`. With `organization` set, narrows it."),
    credentials: credentials.describe(
      "How the operator signs in. Secrets by reference only; they may be changed, the kind not.",
    ),
    webhook: webhook.prefault({}).describe("How deliveries reach the gateway."),
    triggers: z
      .array(trigger)
      .min(1)
      .max(32)
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
      .describe("Which events ring the bell. The first that matches makes the task."),
    access: z
      .object({
        permission: z
          .enum(["Write", "Maintain", "Admin"])
          .default("Write")
          .describe("What a person needs on the repository to start a task."),
        kubernetes: z
          .enum(["Deny", "Allow"])
          .default("Deny")
          .describe(
            "Whether people may create AgentTasks for this integration with kubectl (`source.provider: kubernetes`).",
          ),
      })
      .prefault({})
      .describe("Who may start tasks."),
    profileRef: localRef.describe("The AgentProfile for tasks of this integration."),
    concurrency: z
      .object({
        tasks: z.int().min(1).max(1000).default(10).describe("Tasks of this integration running at once."),
        perRepository: z.int().min(1).max(1000).default(5).describe("Tasks of one repository running at once."),
        perActor: z.int().min(1).max(1000).default(3).describe("Tasks of one person running at once."),
      })
      .prefault({})
      .describe("How many tasks may run at once; the rest queue."),
    reporting: z
      .object({
        reaction: z.boolean().default(true).describe("Whether the comment that rang gets an `eyes` reaction at once."),
        updateEvery: duration.default("10s").describe("How often the report is edited at most while a task runs."),
      })
      .prefault({})
      .describe("How the story is told."),
  })
  .meta({
    "x-kubernetes-validations": [
      { rule: "has(self.organization) || has(self.repositories)", message: "set organization, repositories, or both" },
      {
        rule: "!has(self.organization) || !has(self.repositories) || self.repositories.all(name, name.lowerAscii().startsWith(self.organization.lowerAscii() + '/'))",
        message: "each of repositories must lie in organization; set only one of them to cover others",
      },
      {
        rule: "!has(self.webhook) || self.webhook.install != 'Manual' || has(self.webhook.acceptedKeysRef)",
        message: "webhook.install Manual needs webhook.acceptedKeysRef: the secret that you set at GitHub",
      },
    ],
  });

/** What the operator found and did. */
export const gitHubIntegrationStatus = z.object({
  observedGeneration: z.int().min(0).optional().describe("The generation of `spec` last acted on."),
  conditions: conditions.optional().describe("`Ready`, `CredentialsValid`, `WebhookInstalled`, `Stalled`."),
  webhookURL: z.string().max(2048).optional().describe("Where GitHub delivers to."),
  hooks: z
    .array(
      z.object({
        target: z.string().max(300).describe("`app`, an organisation, or `owner/name`."),
        id: z.string().max(40).optional().describe("GitHub's id of the hook; absent for an App's one hook."),
        verifiedAt: timestamp.optional().describe("When its settings were last seen to be right."),
      }),
    )
    .max(300)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["target"] })
    .describe("Hooks that the operator keeps."),
  triggers: z
    .array(
      z.object({
        name: objectName.describe("Name of the trigger."),
        since: timestamp.describe("When the operator first saw it."),
      }),
    )
    .max(32)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
    .describe("Since when each trigger has been in force."),
  bot: z
    .object({
      id: z.string().max(40).describe("Numeric id of the bot's account."),
      login: z.string().max(100).describe("Its login, for an App `<slug>[bot]`."),
      mention: z.string().max(100).describe("What people write after `@`."),
    })
    .optional()
    .describe("Who the bot is."),
  installations: z
    .array(
      z.object({
        id: z.string().max(40).describe("The installation's id."),
        account: z.string().max(100).describe("The organisation or user it is installed on."),
        suspended: z.boolean().optional().describe("Whether GitHub or the owner has suspended it."),
      }),
    )
    .max(100)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"] })
    .describe("Installations of the App that this integration covers."),
  tokenScope: z
    .enum(["PerTask", "Broad"])
    .optional()
    .describe("Whether tokens are narrowed to one repository per task."),
  keyGeneration: z.int().min(0).optional().describe("Generation of the webhook secret in use."),
  lastHandledRotateAt: timestamp
    .optional()
    .describe(
      "The last `bellhop.dev/rotate-requested-at` that was handled: carried out, or refused with `RotationRefused`.",
    ),
  recoveredUntil: timestamp.optional().describe("Up to when missed deliveries were looked for; never moves back."),
  lastTaskTime: timestamp
    .optional()
    .describe("When a delivery last made a task, as of the last look, every few minutes."),
});

export type GitHubIntegrationSpec = z.infer<typeof gitHubIntegrationSpec>;
export type GitHubIntegrationStatus = z.infer<typeof gitHubIntegrationStatus>;
export type Trigger = z.infer<typeof trigger>;
export type TriggerKind = (typeof triggerKinds)[number];
