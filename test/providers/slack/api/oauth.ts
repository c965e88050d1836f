import { install, rotate } from "../actions/apps.ts";
import type { App, InstallCode, Installation } from "../state/apps.ts";
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
  if (params.text("grant_type") === "refresh_token") return refresh(world, app, params.text("refresh_token"));
  const code = take(world, app, params.text("code"));
  const { redirectUri } = code;
  if ((params.text("redirect_uri") ?? redirectUri) !== redirectUri) throw new SlackFailure("bad_redirect_uri");
  return grant(world, code);
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

/** A refresh token works once: the answer has the next one. */
function refresh(world: World, app: App, given: string | undefined): Answer {
  const found = world.data.installations.find(
    (installation) => installation.app === app && given !== undefined && installation.refreshToken === given,
  );
  if (!found || found.revoked || found.removed) throw new SlackFailure("invalid_refresh_token");
  rotate(world, found);
  return viewInstallation(world, found);
}

function grant(world: World, { app, team, by, scopes, organisationWide }: InstallCode): Answer {
  return viewInstallation(world, install(world, app, team, { by, scopes, organisationWide }));
}

function viewInstallation(world: World, installation: Installation): Answer {
  const { app, team, token, bot, scopes: granted, organisationWide, installedBy: by } = installation;
  const { refreshToken, expiresAtMs } = installation;
  const { enterprise } = team;
  const lifeMs = expiresAtMs === undefined ? undefined : expiresAtMs - world.clock.now().getTime();
  return {
    ...(lifeMs === undefined ? {} : { refresh_token: refreshToken, expires_in: Math.round(lifeMs / 1_000) }),
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
