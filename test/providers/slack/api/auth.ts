import { removeApp, revokeToken } from "../actions/apps.ts";
import { SlackFailure } from "./failure.ts";
import { reading, writing } from "./method.ts";
import type { Answer, AppCall, BotCall, Method } from "./method.ts";

/** The token itself. */
export const authMethods: Method[] = [
  writing("auth.test", [], test),
  reading("auth.revoke", [], revoke),
  reading("apps.uninstall", [], uninstall),
  { name: "apps.connections.open", access: "app", scopes: [], json: true, handle: (call) => connect(call as AppCall) },
  writing("api.test", [], ({ params }) => ({ args: params.all() })),
];

function test({ installation }: BotCall): Answer {
  const { team, bot, app } = installation;
  return {
    url: `https://${team.domain}.slack.com/`,
    team: team.name,
    user: bot.name,
    team_id: team.id,
    user_id: bot.id,
    bot_id: bot.bot?.id,
    ...(team.enterprise && { enterprise_id: team.enterprise.id }),
    is_enterprise_install: installation.organisationWide,
    app_id: app.id,
  };
}

function revoke({ world, params, installation }: BotCall): Answer {
  if (params.flag("test")) return { revoked: false };
  revokeToken(world, installation);
  return { revoked: true };
}

function uninstall({ world, params, installation }: BotCall): Answer {
  const { clientId, clientSecret } = installation.app;
  if (params.text("client_id") !== clientId) throw new SlackFailure("invalid_client_id");
  if (params.text("client_secret") !== clientSecret) throw new SlackFailure("bad_client_secret");
  removeApp(world, installation);
  return {};
}

/** The address of a WebSocket for Socket Mode. */
function connect({ world, app }: AppCall): Answer {
  if (!app.socketMode) throw new SlackFailure("forbidden_team");
  return { url: world.sockets.ticket(app, world.baseUrl()) };
}
