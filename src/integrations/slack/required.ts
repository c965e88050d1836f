import type { TriggerKind } from "../../api/integration.ts";
import type { SlackApp } from "../../api/slack-app.ts";

/** Requirements of a Slack app: the scopes of its bot token, and the bot events that it subscribes to. Both are set on the app's page or in its manifest. */
export interface Required {
  scopes: readonly string[];
  events: readonly string[];
}

type SlackTrigger = Extract<TriggerKind, "mention" | "directMessage" | "slashCommand" | "shortcut">;

/** Every app: it posts reports, looks people up, and hears when it is removed. */
const always: Required = { scopes: ["chat:write", "users:read"], events: ["app_uninstalled", "tokens_revoked"] };

const ofReactions: Required = { scopes: ["reactions:write"], events: [] };
const ofUserGroups: Required = { scopes: ["usergroups:read"], events: [] };

/** `message.*` is for follow-ups in a thread, which need no mention. Source: Slack, the pages of the events, "Required scopes". */
const byTrigger: Readonly<Record<SlackTrigger, Required>> = {
  mention: {
    scopes: [
      "app_mentions:read",
      "channels:history",
      "channels:read",
      "groups:history",
      "groups:read",
      "mpim:history",
      "mpim:read",
    ],
    events: ["app_mention", "message.channels", "message.groups", "message.mpim"],
  },
  directMessage: { scopes: ["im:history", "im:read"], events: ["message.im"] },
  // `im:write`: a direct message is the only way to answer in a channel that the bot is not in.
  slashCommand: {
    scopes: ["commands", "channels:read", "groups:read", "im:read", "im:write", "mpim:read"],
    events: [],
  },
  // A command or shortcut works in every conversation, so the app must be able to read the kind of each.
  shortcut: {
    scopes: [
      "commands",
      "channels:history",
      "channels:read",
      "groups:history",
      "groups:read",
      "im:history",
      "im:read",
      "mpim:history",
      "mpim:read",
    ],
    events: [],
  },
};

/** Requirements of the app of an integration, by its triggers and access; sorted, without duplicates. */
export function required({ spec }: Pick<SlackApp, "spec">): Required {
  const kinds = (Object.keys(byTrigger) as SlackTrigger[]).filter((kind) =>
    spec.triggers.some((trigger) => trigger[kind] !== undefined),
  );
  const parts = [
    always,
    ...kinds.map((kind) => byTrigger[kind]),
    ...(spec.reporting.reaction ? [ofReactions] : []),
    ...(spec.access.userGroups === undefined ? [] : [ofUserGroups]),
  ];
  const unique = (names: readonly string[]): string[] => [...new Set(names)].sort();
  return {
    scopes: unique(parts.flatMap(({ scopes }) => scopes)),
    events: unique(parts.flatMap(({ events }) => events)),
  };
}
