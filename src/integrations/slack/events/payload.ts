import { z } from "zod";

/**
 * Schemas of the payload fields that we use. Slack leaves fields out and adds new ones, so the schemas check only used fields, and fields
 * that nothing depends on are dropped if they have an unexpected shape. Source: Slack, "Events API", "Interaction payloads", "Slash commands".
 */

/** No id has a slash: causes and conversations join ids with it. */
const id = z
  .string()
  .min(1)
  .max(40)
  .regex(/^[A-Za-z0-9-]+$/, "it is not an id of Slack");
const time = z
  .string()
  .max(27)
  .regex(/^[0-9]{1,16}\.[0-9]{1,10}$/, "it is not a time stamp of Slack");
const triggerId = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9._-]+$/, "it is not a trigger id of Slack");
/** Slack accepts 40,000 characters. A text four times as long is not from Slack, and reading it would delay other deliveries. */
const maxText = 160_000;
const text = z
  .string()
  .max(maxText, `the text has more than ${maxText} characters; Slack sends at most a quarter of that`)
  .nullish()
  .transform((given) => given ?? "");
/** A name of a person or channel, for display. Names with other characters are left out; their id is shown instead. */
const name = z
  .string()
  .max(100)
  .regex(/^[\p{L}\p{N}._-]+$/u)
  .nullish()
  .catch(undefined);
const word = z.string().max(64);
const yes = z.preprocess((given) => given === true || given === "true", z.boolean());

/** The type of any payload, for the choice of its reader. */
export const typed = z.object({ type: word.optional().catch(undefined) });

/** An answer to the check of a request URL. */
export const urlVerification = z.object({ challenge: z.string().min(1).max(1_024) });

export const rateLimited = z.object({ team_id: id.optional().catch(undefined) });

const authorization = z.object({
  team_id: id.nullish(),
  enterprise_id: id.nullish(),
  user_id: id.nullish(),
  is_bot: z.boolean().nullish(),
  is_enterprise_install: yes,
});

/** The part of a payload of the Events API around the event. */
export const envelope = z.object({
  team_id: id.nullish(),
  enterprise_id: id.nullish(),
  event: z.looseObject({ type: word }),
  authorizations: z.array(authorization).max(100).nullish().catch(undefined),
});

/** The fields that decide whether a message is one that a person wrote. */
export const messageKind = z.object({ subtype: word.nullish(), bot_id: z.string().nullish() });

export const message = z.object({
  channel: id,
  channel_type: word.nullish(),
  user: id.nullish(),
  user_profile: z.object({ name }).nullish().catch(undefined),
  text,
  ts: time,
  thread_ts: time.nullish(),
  edited: z.unknown().optional(),
});

const channel = z.object({ id, name });

/** Fields that all interactions have which can create an event. */
const interaction = z.object({
  team: z.object({ id }).nullish(),
  enterprise: z.object({ id }).nullish(),
  is_enterprise_install: yes,
  api_app_id: z.string().optional(),
  user: z.object({ id, name, username: name }),
});

export const blockActions = interaction.extend({
  channel: channel.nullish(),
  container: z
    .object({ message_ts: time.nullish(), thread_ts: time.nullish(), is_ephemeral: z.boolean().nullish() })
    .nullish(),
  message: z.object({ user: id.nullish(), app_id: z.string().nullish(), thread_ts: time.nullish() }).nullish(),
  actions: z
    .array(
      z.object({
        action_id: z.string().max(255),
        action_ts: time,
        block_id: z.string().max(255).nullish(),
        value: z.string().max(2_000).nullish(),
        selected_option: z.object({ value: z.string().max(2_000) }).nullish(),
      }),
    )
    .max(100),
});

/** A person opened a menu whose choices come from us, or typed into it. */
export const blockSuggestion = interaction.extend({
  channel: channel.nullish(),
  action_id: z.string().max(255),
  value: text,
});

export const messageAction = interaction.extend({
  callback_id: z.string().max(255),
  action_ts: time,
  channel,
  message: z.object({ user: id.nullish(), text, ts: time, thread_ts: time.nullish() }),
});

export const slashCommand = z.object({
  command: z.string().max(64),
  text,
  trigger_id: triggerId,
  team_id: id.nullish(),
  enterprise_id: id.nullish(),
  is_enterprise_install: yes,
  channel_id: id,
  channel_name: name,
  user_id: id,
  user_name: name,
});

export type Authorization = z.infer<typeof authorization>;
export type Envelope = z.infer<typeof envelope>;
export type Message = z.infer<typeof message>;
export type BlockActions = z.infer<typeof blockActions>;
export type BlockSuggestion = z.infer<typeof blockSuggestion>;
export type Interaction = z.infer<typeof interaction>;
