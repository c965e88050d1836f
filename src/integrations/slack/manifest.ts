import type { AppsManifestCreateArguments } from "@slack/web-api";
import type { SlackApp } from "../../api/slack-app.ts";
import { shortcutId } from "./events/interaction.ts";
import { required } from "./required.ts";

type Manifest = AppsManifestCreateArguments["manifest"];
type Features = NonNullable<Manifest["features"]>;
type Scopes = NonNullable<NonNullable<NonNullable<Manifest["oauth_config"]>["scopes"]>["bot"]>;
type Events = NonNullable<NonNullable<NonNullable<Manifest["settings"]>["event_subscriptions"]>["bot_events"]>;

/**
 * The manifest of the Slack app that an integration needs, with no scope and no event more than that. Events, commands and interactions all go
 * to `webhookURL`, the integration's `status.webhookURL`; with Socket Mode there is none. `redirectURL` is the callback of its install page, if it
 * uses the install flow. Source: Slack, "App manifest reference".
 */
export function manifest(integration: Pick<SlackApp, "spec">, webhookURL: string, redirectURL?: string): Manifest {
  const { scopes, events } = required(integration);
  const { workspaces = [] } = integration.spec.credentials.oauth ?? {};
  const overSocket = usesSocketMode(integration);
  const url: { request_url?: string } = overSocket ? {} : { request_url: webhookURL };
  return {
    _metadata: { major_version: 1 },
    display_information: {
      name: "Bellhop",
      description: "Starts coding agents, and reports on their work in the thread",
    },
    features: features(integration, overSocket ? {} : { url: webhookURL }),
    oauth_config: {
      ...(redirectURL === undefined ? {} : { redirect_urls: [redirectURL] }),
      scopes: { bot: [...scopes] as Scopes },
    },
    settings: {
      event_subscriptions: { ...url, bot_events: [...events] as Events },
      // The buttons of reports, and the menu of repositories, whose choices Slack asks for.
      interactivity: { is_enabled: true, ...url, ...(overSocket ? {} : { message_menu_options_url: webhookURL }) },
      // An organisation can install the app for all its workspaces.
      org_deploy_enabled: workspaces.some((id) => id.startsWith("E")),
      socket_mode_enabled: overSocket,
      // A token that Slack rotates expires after 12 hours.
      token_rotation_enabled: false,
    },
  };
}

/** Whether deliveries arrive by Socket Mode, so that the app needs no URL. */
export function usesSocketMode({ spec }: Pick<SlackApp, "spec">): boolean {
  return spec.credentials.appTokenSecretRef !== undefined;
}

function features({ spec: { triggers } }: Pick<SlackApp, "spec">, url: { url?: string }): Features {
  const has = (kind: "directMessage" | "slashCommand" | "shortcut"): boolean =>
    triggers.some((trigger) => trigger[kind] !== undefined);
  const direct = has("directMessage");
  return {
    // Without a messages tab the bot cannot write to people, and without a writable one people cannot write to the bot.
    app_home: {
      home_tab_enabled: false,
      messages_tab_enabled: direct || has("slashCommand"),
      messages_tab_read_only_enabled: !direct,
    },
    bot_user: { display_name: "bellhop", always_online: true },
    ...(has("slashCommand") ? { slash_commands: [slashCommand(url)] } : {}),
    ...(has("shortcut") ? { shortcuts: [shortcut] } : {}),
  };
}

function slashCommand(url: { url?: string }): NonNullable<Features["slash_commands"]>[number] {
  const description = "Ask a coding agent for work";
  return {
    command: "/bellhop",
    ...url,
    description,
    usage_hint: "[what to do, with a link to the repository] | status | stop | help",
    should_escape: false,
  };
}

const shortcut: NonNullable<Features["shortcuts"]>[number] = {
  type: "message",
  name: "Ask Bellhop to do this",
  callback_id: shortcutId,
  description: "A coding agent does what the message asks for",
};
