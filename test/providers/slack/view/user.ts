import type { User, Team } from "../state/teams.ts";

/** `users.info`, as the given workspace sees the account. */
export function viewUser(user: User, seenFrom: Team): Record<string, unknown> {
  const { bot, kind, team } = user;
  return {
    id: user.id,
    team_id: team.id,
    name: user.name,
    deleted: user.deleted,
    ...(!user.deleted && {
      color: "9f69e7",
      real_name: user.realName,
      tz: "Europe/Amsterdam",
      tz_label: "Central European Time",
      tz_offset: 3600,
      is_admin: user.admin,
      is_owner: false,
      is_primary_owner: false,
      is_restricted: kind === "guest" || kind === "channelGuest",
      is_ultra_restricted: kind === "channelGuest",
    }),
    profile: viewProfile(user),
    is_bot: kind === "bot",
    is_app_user: false,
    updated: user.updatedAt,
    // A person of a workspace that only shares a channel with this one.
    ...(team !== seenFrom && { is_stranger: true }),
    ...(team.enterprise && bot === null && { enterprise_user: viewEnterpriseUser(user) }),
  };
}

function viewProfile(user: User): Record<string, unknown> {
  const image = `https://avatars.slack-edge.com/${user.id}`;
  return {
    avatar_hash: "ge3b51ca72de",
    real_name: user.realName,
    real_name_normalized: user.realName,
    display_name: user.name,
    display_name_normalized: user.name,
    status_text: "",
    status_emoji: "",
    image_24: `${image}_24.png`,
    image_32: `${image}_32.png`,
    image_48: `${image}_48.png`,
    image_72: `${image}_72.png`,
    image_192: `${image}_192.png`,
    image_512: `${image}_512.png`,
    team: user.team.id,
    fields: {},
    title: "",
    phone: "",
    skype: "",
    ...(user.bot === null
      ? { email: user.email, first_name: user.realName, last_name: "" }
      : { api_app_id: user.bot.appId, bot_id: user.bot.id, always_active: true }),
  };
}

function viewEnterpriseUser(user: User): Record<string, unknown> {
  const { enterprise, id } = user.team;
  return {
    id: user.id,
    enterprise_id: enterprise?.id,
    enterprise_name: enterprise?.name,
    is_admin: user.admin,
    is_owner: false,
    teams: [id],
  };
}
