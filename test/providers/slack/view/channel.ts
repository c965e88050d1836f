import { teamsOf } from "../state/find.ts";
import type { Channel } from "../state/channels.ts";
import type { User } from "../state/teams.ts";

/** `conversations.info`, as a member or other account sees the channel. */
export function viewChannel(channel: Channel, seenBy: User): Record<string, unknown> {
  return channel.kind === "im" ? viewDirectMessage(channel, seenBy) : viewNamed(channel, seenBy);
}

/** `channel_type` of message events. */
export function channelType(channel: Channel): string {
  return { public: "channel", private: "group", im: "im", mpim: "mpim" }[channel.kind];
}

function viewDirectMessage(channel: Channel, seenBy: User): Record<string, unknown> {
  const other = [...channel.members].find((id) => id !== seenBy.id) ?? seenBy.id;
  return {
    id: channel.id,
    created: channel.createdAt,
    is_archived: channel.archived,
    is_im: true,
    is_org_shared: false,
    context_team_id: seenBy.team.id,
    user: other,
    is_user_deleted: false,
    is_open: true,
    priority: 0,
  };
}

function viewNamed(channel: Channel, seenBy: User): Record<string, unknown> {
  const { kind, name, sharedWith } = channel;
  const teams = teamsOf(channel).map(({ id }) => id);
  const external = sharedWith.some((team) => !team.enterprise || team.enterprise !== channel.team.enterprise);
  return {
    id: channel.id,
    name,
    name_normalized: name,
    created: channel.createdAt,
    creator: channel.creator.id,
    is_archived: channel.archived,
    is_channel: kind === "public" || kind === "private",
    is_group: kind === "private" && channel.id.startsWith("G"),
    is_im: false,
    is_mpim: kind === "mpim",
    is_private: kind !== "public",
    is_general: name === "general",
    is_member: channel.members.has(seenBy.id),
    is_shared: sharedWith.length > 0,
    is_ext_shared: external,
    is_org_shared: sharedWith.length > 0 && !external,
    is_pending_ext_shared: false,
    shared_team_ids: teams,
    pending_shared: [],
    pending_connected_team_ids: [],
    ...(external && { connected_team_ids: teams, conversation_host_id: channel.team.id }),
    context_team_id: seenBy.team.id,
    unlinked: 0,
    parent_conversation: null,
    previous_names: [],
    topic: { value: "", creator: "", last_set: 0 },
    purpose: { value: "", creator: "", last_set: 0 },
  };
}
