import { z } from "zod";
import { secretKeyRef, timestamp } from "./common.ts";
import {
  exactlyOne,
  immutable,
  integrationKind,
  integrationSpec,
  integrationStatus,
  kubernetesAccess,
  reporting,
  serverURL,
  triggers,
} from "./integration.ts";
import type { Resource } from "./kind.ts";

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

const gitHubTriggers = triggers({
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
      login: login.describe("The user account whose review is requested. GitHub cannot request the review of an App."),
    })
    .optional()
    .describe("Matches when a review of the named user is requested."),
  failedChecks: z
    .object({})
    .optional()
    .describe(
      "Matches when checks fail on a branch that Bellhop pushed, at most `output.fixLoops` times for each pull request.",
    ),
});

/** The connection to GitHub: repositories, credentials, webhook, triggers, access and limits. */
export const gitHubIntegrationSpec = z
  .object({
    suspend: integrationSpec.suspend,
    url: serverURL("https://github.com").describe(
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
    triggers: gitHubTriggers,
    access: z
      .object({
        permission: z
          .enum(["Write", "Maintain", "Admin"])
          .default("Write")
          .describe("The permission that a person needs on the repository to start a task."),
        bots: z
          .array(
            z.object({
              id: z
                .string()
                .min(1)
                .max(20)
                .regex(/^[0-9]{1,20}$/)
                .describe("Numeric id of the bot's account, which `gh api '/users/<name>[bot]' --jq .id` shows."),
              login: z.string().min(1).max(100).describe("Login of the bot's account; for people who read the spec."),
            }),
          )
          .max(32)
          .optional()
          .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"] })
          .describe(
            "Bots that may start tasks, although they have no permission on the repository. Events of all other bots start none, except failed " +
              "checks. A bot never approves anything. Do not list a bot that answers what Bellhop posts: they would answer each other.",
          ),
        kubernetes: kubernetesAccess,
      })
      .prefault({})
      .describe("The people who may start tasks."),
    profileRef: integrationSpec.profileRef,
    concurrency: integrationSpec.concurrency,
    reporting: reporting("Whether Bellhop adds an `eyes` reaction at once to the comment that triggers a task."),
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

/** The state that the operator observed at GitHub, and the hooks that it manages. */
export const gitHubIntegrationStatus = integrationStatus(
  {
    provider: "GitHub",
    bot: {
      text: "The bot's account at GitHub.",
      id: "Numeric id of the bot's account.",
      login: "Login of the bot's account; `<slug>[bot]` for an App.",
    },
    installations: {
      text: "The App's installations that this integration covers.",
      id: "The installation's id.",
      account: "The organisation or user on whose account the App is installed.",
    },
    tokenScope: "Whether the token of a task is limited to one repository.",
  },
  {
    own: {
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
      repositories: z
        .array(
          z.object({
            name: z.string().max(141).describe("The name in `spec.repositories`."),
            id: z
              .string()
              .max(64)
              .describe("GitHub's id of the repository that had the name when the operator first read it."),
          }),
        )
        .max(256)
        .optional()
        .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
        .describe(
          "The covered repositories by id: a renamed repository stays covered, and another one that gets its name is not. To cover that one, " +
            "remove the name from the spec and add it again.",
        ),
    },
    installation: {
      suspended: z.boolean().optional().describe("Whether GitHub or the owner has suspended the installation."),
    },
  },
);

export const GitHubIntegrationKind = integrationKind({
  kind: "GitHubIntegration",
  shortName: "ghi",
  description:
    "Connects GitHub or a GitHub Enterprise Server: the repositories and events that create tasks, and the people who may start them.",
  spec: gitHubIntegrationSpec,
  status: gitHubIntegrationStatus,
});

export type GitHubIntegrationSpec = z.infer<typeof gitHubIntegrationSpec>;
export type GitHubIntegrationStatus = z.infer<typeof gitHubIntegrationStatus>;
export type GitHubIntegration = Resource<GitHubIntegrationSpec, GitHubIntegrationStatus>;
