import type { SlackApp } from "../../api/slack-app.ts";
import type { Origin } from "../event.ts";

/** Host name of the integration's Slack. Never throws: for an invalid URL it returns its text, which is not a valid host. */
export function host({ spec }: SlackApp): string {
  return URL.canParse(spec.url) ? new URL(spec.url).host : spec.url.replace(/^https:\/\//, "");
}

/**
 * Whether the integration covers a channel: its workspace or organisation must be one that the bot token belongs to, and `access.channels`
 * narrows the channels, but not direct messages. As long as the operator has found no workspace, an origin without one is covered, so that
 * Slack is asked to send the delivery again later. With the install flow, the spec must still allow the workspace or organisation.
 */
export function covers(integration: SlackApp, { installationId, channel }: Origin): boolean {
  const { channels } = integration.spec.access;
  const isInChannels = !channels || !channel || channel.type === "Direct" || channels.includes(channel.id);
  return isInstalled(integration, installationId) && isInChannels;
}

function isInstalled({ spec, status }: SlackApp, installationId: string | undefined): boolean {
  const installations = status?.installations ?? [];
  if (installationId === undefined) return installations.length === 0;
  const isAllowed = spec.credentials.oauth?.workspaces.includes(installationId) ?? true;
  return isAllowed && installations.some(({ id }) => id === installationId);
}
