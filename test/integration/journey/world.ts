import { startWorld as startInstallation, type World } from "./world/index.ts";
import { aTeam, agentCommand, type TeamOptions } from "./world/team.ts";

export { agentCommand as agent };

/** A world with one team in it, `acme`, whose bot is `bellhop`: what the demo shows. `namespace` is the team's. */
export async function startWorld(options: Pick<TeamOptions, "profile"> = {}): Promise<World> {
  const world = await startInstallation();
  try {
    const { namespace } = await aTeam(world, "acme", { ...options, app: "bellhop" });
    return { ...world, namespace };
  } catch (error) {
    await world.close();
    throw error;
  }
}
