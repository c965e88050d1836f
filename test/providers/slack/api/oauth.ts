import { install } from "../actions/apps.ts";
import type { App, InstallCode } from "../state/apps.ts";
import type { World } from "../state/world.ts";
import { SlackFailure } from "./failure.ts";
import type { Answer, Call, Method } from "./method.ts";

/** The install flow. The client's id and secret are arguments, or `Authorization: Basic`. */
export const oauthMethods: Method[] = [
  { name: "oauth.v2.access", access: "everyone", scopes: [], json: false, handle: access },
];

function access({ world, params, basic }: Call): Answer {
  const [id, secret] = basic ?? [params.text("client_id"), params.text("client_secret")];
  const app = world.data.apps.find(({ clientId }) => clientId === id);
  if (!app) throw new SlackFailure("invalid_client_id");
  if (app.clientSecret !== secret) throw new SlackFailure("bad_client_secret");
  const code = take(world, app, params.text("code"));
  const { redirectUri } = code;
  if ((params.text("redirect_uri") ?? redirectUri) !== redirectUri) throw new SlackFailure("bad_redirect_uri");
  return viewGrant(world, code);
}

/** A code works once, within ten minutes. */
function take(world: World, app: App, given: string | undefined): InstallCode {
  const { codes } = world.data;
  const found = codes.find(({ code }) => code === given);
  if (!found || found.app !== app) throw new SlackFailure("invalid_code");
  codes.splice(codes.indexOf(found), 1);
  if (found.expiresAtMs <= world.clock.now().getTime()) throw new SlackFailure("invalid_code");
  return found;
}

function viewGrant(world: World, { app, team, by, scopes, organisationWide }: InstallCode): Answer {
  const { token, bot, scopes: granted } = install(world, app, team, { by, scopes, organisationWide });
  const { enterprise } = team;
  return {
    access_token: token,
    token_type: "bot",
    scope: [...granted].join(","),
    bot_user_id: bot.id,
    app_id: app.id,
    team: organisationWide ? null : { id: team.id, name: team.name },
    enterprise: enterprise && { id: enterprise.id, name: enterprise.name },
    authed_user: { id: by.id },
    is_enterprise_install: organisationWide,
  };
}
