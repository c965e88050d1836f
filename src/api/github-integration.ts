import { z } from "zod";
import { duration, localRef, objectName, secretKeyRef } from "./common.ts";

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

/** Makes a field immutable. The hooks, keys and route depend on it: after a change the previous hooks would be left at GitHub. */
const immutable = (what: string): Record<string, unknown> => ({
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
          .meta(immutable("appId"))
          .describe("The App's numeric id, from its settings page. Immutable."),
        privateKeySecretRef: secretKeyRef.describe("The App's private key, PEM (PKCS#1 or PKCS#8)."),
      })
      .optional()
      .describe("A GitHub App. Recommended: each task gets its own token, for one repository, valid for an hour."),
    token: z
      .object({ secretRef: secretKeyRef.describe("A personal access token of the bot user.") })
      .optional()
      .describe(
        "A personal access token of a bot user. Its scope cannot be narrowed per task; the status shows `TokenScope=Broad`.",
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
      "`Auto`: the operator installs and repairs the webhook. `Manual`: a person installs it, with the URL in `status.webhookURL`; the operator removes the hooks that it created.",
    ),
  acceptedKeysRef: secretKeyRef
    .optional()
    .describe(
      "An additional webhook secret that deliveries may be signed with: the secret of existing hooks, or with `install: Manual` the secret that you set.",
    ),
  takeOver: z
    .boolean()
    .default(false)
    .describe(
      "Whether an App hook that points at another URL may be overwritten. Otherwise the operator stops and reports it in a condition.",
    ),
});

const triggerKinds = ["mention", "label", "assignment", "reviewRequest", "failedChecks"] as const;

const trigger = z
  .object({
    name: objectName.describe("Name of the trigger, unique in the integration. Tasks, logs and `explain` show it."),
    mention: z
      .object({})
      .optional()
      .describe("Matches when a person mentions the bot in an issue, a pull request, a review or a comment."),
    label: z
      .object({ name: z.string().min(1).max(100).describe("Name of the label, compared case-insensitively.") })
      .optional()
      .describe("Matches when the label is added to an issue or a pull request."),
    assignment: z
      .object({
        login: login.describe(
          "The user account to which the issue or pull request is assigned. GitHub cannot assign an App.",
        ),
      })
      .optional()
      .describe("Matches when an issue or a pull request is assigned to the named user."),
    reviewRequest: z
      .object({
        login: login.describe(
          "The user account whose review is requested. GitHub cannot request the review of an App.",
        ),
      })
      .optional()
      .describe("Matches when a review of the named user is requested."),
    failedChecks: z
      .object({})
      .optional()
      .describe(
        "Matches when checks fail on a branch that Bellhop pushed, at most `output.fixLoops` times for each pull request.",
      ),
    when: z
      .string()
      .min(1)
      .max(2048)
      .optional()
      .describe(
        "A CEL expression over `event` (normalised) and `body` (as delivered). The trigger matches only if the expression is true.",
      ),
    profileRef: localRef
      .optional()
      .describe("The AgentProfile for tasks of this trigger. Default: the profile of the integration."),
    prompt: z
      .string()
      .max(16_384)
      .optional()
      .describe("Prompt for the agent, placed before the text of the person who asked."),
  })
  .meta({ "x-kubernetes-validations": [exactlyOne("trigger", triggerKinds)] });

/** The connection to GitHub: repositories, credentials, webhook, triggers, access and limits. */
export const gitHubIntegrationSpec = z
  .object({
    suspend: z
      .boolean()
      .default(false)
      .describe(
        "Stops the creation of tasks: the gateway answers deliveries with 200 `ignored`. Running tasks continue.",
      ),
    url: z
      .string()
      .min(9)
      .max(253)
      .regex(/^https:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$/)
      .default("https://github.com")
      .meta(immutable("url"))
      .describe(
        "Web address of GitHub or of a GitHub Enterprise Server, https, lower case, without a path. Immutable.",
      ),
    organization: login.optional().describe("Covers every repository of this organisation or user account."),
    repositories: z
      .array(repositoryName)
      .max(256)
      .optional()
      .meta({ "x-kubernetes-list-type": "set" })
      .describe(
        "Covers these repositories, each `owner/name`. If `organization` is set too, only these of its repositories are covered.",
      ),
    credentials: credentials.describe(
      "Credentials of the operator at GitHub, as references to Secrets. The Secrets may change; the kind of credentials may not.",
    ),
    webhook: webhook.prefault({}).describe("The webhook that sends deliveries to the gateway."),
    triggers: z
      .array(trigger)
      .min(1)
      .max(32)
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
      .describe("The events that create tasks. The first trigger that matches an event creates the task."),
    access: z
      .object({
        permission: z
          .enum(["Write", "Maintain", "Admin"])
          .default("Write")
          .describe("The permission that a person needs on the repository to start a task."),
        kubernetes: z
          .enum(["Deny", "Allow"])
          .default("Deny")
          .describe(
            "Whether people may create AgentTasks for this integration with kubectl (`source.provider: kubernetes`).",
          ),
      })
      .prefault({})
      .describe("The people who may start tasks."),
    profileRef: localRef.describe("The AgentProfile for tasks of this integration."),
    concurrency: z
      .object({
        tasks: z
          .int()
          .min(1)
          .max(1000)
          .default(10)
          .describe("Maximum number of tasks of this integration that run at the same time."),
        perRepository: z
          .int()
          .min(1)
          .max(1000)
          .default(5)
          .describe("Maximum number of tasks of one repository that run at the same time."),
        perActor: z
          .int()
          .min(1)
          .max(1000)
          .default(3)
          .describe("Maximum number of tasks of one person that run at the same time."),
      })
      .prefault({})
      .describe("Concurrency limits; further tasks wait in the queue."),
    reporting: z
      .object({
        reaction: z
          .boolean()
          .default(true)
          .describe("Whether Bellhop adds an `eyes` reaction at once to the comment that triggers a task."),
        updateEvery: duration
          .default("10s")
          .describe("Minimum time between two updates of the report while a task runs."),
      })
      .prefault({})
      .describe("How Bellhop reports on tasks in the thread."),
  })
  .meta({
    "x-kubernetes-validations": [
      { rule: "has(self.organization) || has(self.repositories)", message: "set organization, repositories, or both" },
      {
        rule: "!has(self.organization) || !has(self.repositories) || self.repositories.all(name, name.lowerAscii().startsWith(self.organization.lowerAscii() + '/'))",
        message:
          "each entry of repositories must belong to organization; to cover other repositories, set only one of the two fields",
      },
      {
        rule: "!has(self.webhook) || self.webhook.install != 'Manual' || has(self.webhook.acceptedKeysRef)",
        message: "webhook.install Manual requires webhook.acceptedKeysRef: the webhook secret that you set at GitHub",
      },
    ],
  });

export type GitHubIntegrationSpec = z.infer<typeof gitHubIntegrationSpec>;
export type Trigger = z.infer<typeof trigger>;
export type TriggerKind = (typeof triggerKinds)[number];
