import { findInstallation } from "../state/find.ts";
import type { View, World } from "../state/world.ts";

/** A modal as `views.open` and `view_submission` show it. */
export function viewView(world: World, { id, body, app, team }: View): Record<string, unknown> {
  return {
    id,
    team_id: team.id,
    private_metadata: "",
    callback_id: "",
    state: { values: {} },
    hash: "1600000000.abcdefgh",
    clear_on_close: false,
    notify_on_close: false,
    previous_view_id: null,
    root_view_id: id,
    app_id: app.id,
    external_id: "",
    app_installed_team_id: team.id,
    bot_id: findInstallation(world, app, team)?.bot.bot?.id,
    ...body,
  };
}
