import type { Normalised } from "../../ingress.ts";
import { choicesFor } from "../choices.ts";
import { menuId } from "../elements.ts";
import { channelOf, ignored, type Source } from "./event.ts";
import type { BlockSuggestion } from "./payload.ts";

/**
 * Answers with the choices of the menu of repositories, of those whose names may be shown in its channel. Slack asks when a person opens the
 * menu, and for each text that they type. Source: Slack, "block_suggestion payload".
 */
export function readSuggestion({ action_id, channel, value }: BlockSuggestion, source: Source): Normalised {
  if (action_id !== menuId) return ignored(source, "NotOurs", "The menu is not in a message of Bellhop.");
  if (!channel) return ignored(source, "NotOurs", "The menu is not in a message, but in a view.");
  return {
    outcome: "reply",
    installationId: source.installationId,
    channel: channelOf(channel),
    reply: choicesFor(source.offered, channel.id, value),
  };
}
