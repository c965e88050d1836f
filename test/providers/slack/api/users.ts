import type { Installation } from "../state/apps.ts";
import { covers, teamsOf } from "../state/find.ts";
import type { Team, User } from "../state/teams.ts";
import type { World } from "../state/world.ts";
import { viewTeam } from "../view/team.ts";
import { viewUser } from "../view/user.ts";
import { SlackFailure } from "./failure.ts";
import { reading } from "./method.ts";
import type { Answer, BotCall, Method } from "./method.ts";
import { pageOf } from "./page.ts";

/** People, groups, bots and the workspace. */
export const userMethods: Method[] = [
  reading("users.info", ["users:read"], info),
  reading("users.list", ["users:read"], list),
  reading("users.lookupByEmail", ["users:read.email"], lookupByEmail),
  reading("bots.info", ["users:read"], botInfo),
  reading("usergroups.list", ["usergroups:read"], groups),
  reading("usergroups.users.list", ["usergroups:read"], groupMembers),
  reading("team.info", ["team:read"], team),
];

function info(call: BotCall): Answer {
  const id = call.params.text("user");
  const user = call.world.data.users.find((candidate) => candidate.id === id);
  if (!user) throw new SlackFailure("user_not_found");
  if (!knows(call, user)) throw new SlackFailure("user_not_visible");
  return { user: shown(call, user) };
}

function list(call: BotCall): Answer {
  const known = call.world.data.users.filter((user) => knows(call, user));
  const page = pageOf(call.params, known, { usual: 1_000, most: 1_000 });
  return {
    members: page.items.map((user) => shown(call, user)),
    cache_ts: Math.floor(call.world.clock.now().getTime() / 1000),
    response_metadata: { next_cursor: page.next },
  };
}

function lookupByEmail(call: BotCall): Answer {
  const email = call.params.required("email").toLowerCase();
  const user = call.world.data.users.find((candidate) => candidate.email === email && candidate.bot === null);
  if (!user || user.deleted || !knows(call, user)) throw new SlackFailure("users_not_found");
  return { user: shown(call, user) };
}

function botInfo(call: BotCall): Answer {
  const id = call.params.text("bot");
  const found = call.world.data.installations.find(({ bot }) => bot.bot?.id === id);
  if (!found) throw new SlackFailure("bot_not_found");
  const { app, bot, removed } = found;
  const icons = {
    image_36: "https://a.slack-edge.com/36.png",
    image_48: "https://a.slack-edge.com/48.png",
    image_72: "https://a.slack-edge.com/72.png",
  };
  return {
    bot: { id, deleted: removed, name: app.name, updated: bot.updatedAt, app_id: app.id, user_id: bot.id, icons },
  };
}

function groups({ world, params, installation }: BotCall): Answer {
  const found = world.data.groups.filter(
    (group) => group.team === installation.team && (!group.disabled || params.flag("include_disabled")),
  );
  const usergroups = found.map(({ id, team, handle, members, disabled }) => ({
    id,
    team_id: team.id,
    is_usergroup: true,
    name: handle,
    handle,
    description: "",
    is_external: false,
    date_create: 1_700_000_000,
    date_update: 1_700_000_000,
    date_delete: disabled ? 1_700_000_000 : 0,
    auto_type: null,
    created_by: [...members][0] ?? "U000",
    updated_by: [...members][0] ?? "U000",
    deleted_by: null,
    prefs: { channels: [], groups: [] },
    user_count: members.size,
    ...(params.flag("include_users") && { users: [...members] }),
  }));
  return { usergroups };
}

function groupMembers({ world, params, installation }: BotCall): Answer {
  const id = params.required("usergroup");
  const group = world.data.groups.find((candidate) => candidate.id === id && candidate.team === installation.team);
  if (!group || (group.disabled && !params.flag("include_disabled"))) throw new SlackFailure("no_such_subteam");
  return { users: [...group.members] };
}

function team({ world, params, installation }: BotCall): Answer {
  const id = params.text("team") ?? installation.team.id;
  const found = world.data.teams.find((candidate) => candidate.id === id);
  if (!found || !neighbours(world, installation).has(found)) throw new SlackFailure("team_not_found");
  return { team: viewTeam(found) };
}

/** People of the workspace, and of workspaces that share a channel with it. */
function knows({ world, installation }: BotCall, user: User): boolean {
  return neighbours(world, installation).has(user.team);
}

function neighbours({ data }: World, installation: Installation): Set<Team> {
  const own = data.teams.filter((team) => covers(installation, team));
  const sharing = data.channels.map(teamsOf).filter((teams) => teams.some((team) => own.includes(team)));
  return new Set([...own, ...sharing.flat()]);
}

/** Without the scope `users:read.email`, profiles have no email. */
function shown({ installation, params }: BotCall, user: User): Record<string, unknown> {
  const view = viewUser(user, installation.team);
  const { email, ...profile } = view["profile"] as Record<string, unknown>;
  const withEmail = email !== undefined && installation.scopes.has("users:read.email") ? { email } : {};
  const locale = params.flag("include_locale") ? { locale: "en-US" } : {};
  return { ...view, ...locale, profile: { ...profile, ...withEmail } };
}
