import { z } from "zod";
import { conditions, duration, group, localRef, objectName, timestamp, version } from "./common.ts";
import { age, ready, reason, type Column, type Kind, type Resource } from "./kind.ts";

/**
 * The parts of `spec` and `status` that all kinds of integration share. A kind's own file adds its connection, its webhook and the trigger kinds
 * that its provider has, and describes them in the provider's terms.
 */

/** The parts that a kind of integration adds to those that all kinds have. */
interface OwnParts<Name, Spec, Status> {
  kind: Name;
  shortName: string;
  description: string;
  spec: Spec;
  status: Status;
}

/** The fields that `spec` must have: code outside the provider's folder reads them. */
interface SharedSpec extends z.ZodRawShape, Record<keyof typeof integrationSpec, z.ZodType> {
  triggers: z.ZodArray;
  access: z.ZodType<{ kubernetes: "Deny" | "Allow" }>;
  reporting: ReturnType<typeof reporting>;
}
type SharedStatus = ReturnType<typeof integrationStatus>["shape"];

/** The description of a kind of integration. Its resources are named after the kind, for example `slackapps`. */
export function integrationKind<
  Name extends string,
  Spec extends z.ZodObject<SharedSpec>,
  Status extends z.ZodObject<SharedStatus>,
>({
  kind,
  shortName,
  description,
  spec,
  status,
}: OwnParts<Name, Spec, Status>): Kind<Resource<z.infer<Spec>, z.infer<Status>>, Name> {
  const singular = kind.toLowerCase();
  const names = { kind, plural: `${singular}s`, singular, shortNames: [shortName] };
  return { group, version, ...names, namespaced: true, description, spec, status, maxNameLength: 32, columns };
}

/** The columns of every kind of integration. `kubectl get bellhop` shows the kinds one below the other. */
const columns: Column[] = [
  ready,
  reason,
  { name: "Bot", type: "string", jsonPath: ".status.bot.login", description: "Login of the bot." },
  {
    name: "Suspended",
    type: "boolean",
    jsonPath: ".spec.suspend",
    description: "Whether the creation of tasks is stopped.",
  },
  {
    name: "URL",
    type: "string",
    jsonPath: ".status.webhookURL",
    description: "The URL that the provider sends deliveries to.",
  },
  {
    name: "Last Task",
    type: "date",
    jsonPath: ".status.lastTaskTime",
    description: "When a delivery last created a task of this integration, or one of a chat whose changes go there.",
  },
  age,
];

/** A rule that exactly one of the fields is set. */
export const exactlyOne = (what: string, fields: readonly string[]): object => ({
  rule: `[${fields.map((field) => `has(self.${field})`).join(", ")}].filter(set, set).size() == 1`,
  message: `${what}: set exactly one of ${fields.join(", ")}`,
});

/** Makes a field immutable. Hooks, keys and route depend on it: after a change the previous ones would be left at the provider. */
export const immutable = (what: string): Record<string, unknown> => ({
  "x-kubernetes-validations": [{ rule: "self == oldSelf", message: `${what} is immutable: create a new integration` }],
});

/** The kinds of trigger over all providers. A provider's schema has only those that it can have. */
export const triggerKinds = [
  "mention",
  "directMessage",
  "slashCommand",
  "shortcut",
  "label",
  "assignment",
  "reviewRequest",
  "failedChecks",
] as const;
export type TriggerKind = (typeof triggerKinds)[number];

/** A trigger as code outside the providers sees it: exactly one of the kinds is set. */
export interface Trigger {
  name: string;
  mention?: object | undefined;
  directMessage?: object | undefined;
  slashCommand?: object | undefined;
  shortcut?: object | undefined;
  label?: { name: string } | undefined;
  assignment?: { login: string } | undefined;
  reviewRequest?: { login: string } | undefined;
  failedChecks?: object | undefined;
  when?: string | undefined;
  profileRef?: { name: string } | undefined;
  prompt?: string | undefined;
}

/** The schema of `spec.triggers` for a provider that has these kinds of trigger. */
export function triggers<Kinds extends Partial<Record<TriggerKind, z.ZodOptional>>>(kinds: Kinds) {
  const trigger = z
    .object({ name: triggerName, ...kinds, ...common })
    .meta({ "x-kubernetes-validations": [exactlyOne("trigger", Object.keys(kinds))] });
  return z
    .array(trigger)
    .min(1)
    .max(32)
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
    .describe("The events that create tasks. The first trigger that matches an event creates the task.");
}

const triggerName = objectName.describe(
  "Name of the trigger, unique in the integration. Tasks, logs and `explain` show it.",
);

const common = {
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
};

/** Whether people may create tasks with kubectl; a part of `spec.access` of every kind. */
export const kubernetesAccess = z
  .enum(["Deny", "Allow"])
  .default("Deny")
  .describe("Whether people may create AgentTasks for this integration with kubectl (`source.provider: kubernetes`).");

/** The fields of `spec` that every kind has, besides `triggers` and `access`. */
export const integrationSpec = {
  suspend: z
    .boolean()
    .default(false)
    .describe(
      "Stops the creation of tasks: the gateway answers deliveries with 200 `ignored`. Running tasks continue. Tasks of chats whose changes go to this integration wait.",
    ),
  profileRef: localRef.describe("The AgentProfile for tasks of this integration."),
  concurrency: z
    .object({
      tasks: atOnce("of this integration", 10),
      perRepository: atOnce("of one repository", 5),
      perActor: atOnce("of one person", 3),
    })
    .prefault({})
    .describe("Concurrency limits; further tasks wait in the queue."),
};

function atOnce(whose: string, standard: number): z.ZodDefault<z.ZodInt> {
  return z
    .int()
    .min(1)
    .max(1000)
    .default(standard)
    .describe(`Maximum number of tasks ${whose} that run at the same time.`);
}

/** The schema of `spec.reporting`; `reaction` describes what the provider shows at once. */
export function reporting(reaction: string) {
  return z
    .object({
      reaction: z.boolean().default(true).describe(reaction),
      updateEvery: duration
        .default("10s")
        .describe("Minimum time between two updates of the report while a task runs."),
    })
    .prefault({})
    .describe("How Bellhop reports on tasks in the thread.");
}

/** `status.installURL`, of kinds whose access people can grant in the browser; `app` is what they install. */
export const installURL = (app: string) =>
  z
    .string()
    .max(2048)
    .optional()
    .describe(`The page at which an administrator installs ${app}; absent if the install flow is not used.`);

/** The schema of `spec.url`: the address of the provider's server. */
export function serverURL(standard: string) {
  return z
    .string()
    .min(9)
    .max(253)
    .regex(/^https:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$/)
    .default(standard)
    .meta(immutable("url"));
}

/** Descriptions of the fields of `status`, in the provider's terms. */
interface StatusTexts {
  /** The provider's name as people write it. */
  provider: string;
  bot: { text: string; id: string; login: string };
  installations: { text: string; id: string; account: string };
  tokenScope: string;
}

/** The fields of `status` that a kind adds: its own, and those of each installation. */
interface OwnStatus<Own, Installation> {
  own: Own;
  installation: Installation;
}

/** The schema of `status`. */
export function integrationStatus<Own extends z.ZodRawShape, Installation extends z.ZodRawShape>(
  texts: StatusTexts,
  { own, installation }: OwnStatus<Own, Installation>,
) {
  return z.object({
    observedGeneration: z.int().min(0).optional().describe("The generation of `spec` that the operator last acted on."),
    conditions: conditions
      .optional()
      .describe("The conditions `Ready`, `CredentialsValid`, `WebhookInstalled` and `Stalled`."),
    webhookURL: z.string().max(2048).optional().describe(`The URL that ${texts.provider} sends deliveries to.`),
    ...own,
    triggers: activeTriggers,
    bot: botAccount(texts.bot),
    installations: z
      .array(
        z.object({
          id: z.string().max(128).describe(texts.installations.id),
          account: z.string().max(100).describe(texts.installations.account),
          ...installation,
        }),
      )
      .max(100)
      .optional()
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"] })
      .describe(texts.installations.text),
    tokenScope: z.enum(["PerTask", "Broad"]).optional().describe(texts.tokenScope),
    keyGeneration: z.int().min(0).optional().describe("Generation of the current webhook secret."),
    lastHandledRotateAt: timestamp
      .optional()
      .describe(
        "The last value of `bellhop.dev/rotate-requested-at` that the operator handled: carried out, or refused with `RotationRefused`.",
      ),
    recoveredUntil: timestamp
      .optional()
      .describe("Up to which time the operator has searched for missed deliveries; never moves back."),
    lastTaskTime: timestamp
      .optional()
      .describe(
        "When a delivery last created a task of this integration, or one of a chat whose changes go there; updated every few minutes.",
      ),
  });
}

const activeTriggers = z
  .array(
    z.object({
      name: objectName.describe("Name of the trigger."),
      since: timestamp.describe("When the operator first saw the trigger."),
    }),
  )
  .max(32)
  .optional()
  .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
  .describe("Since when each trigger has been active.");

function botAccount({ text, id, login }: StatusTexts["bot"]) {
  return z
    .object({
      id: z.string().max(128).describe(id),
      login: z.string().max(100).describe(login),
      mention: z.string().max(100).describe("The name that people write after `@` to mention the bot."),
    })
    .optional()
    .describe(text);
}
