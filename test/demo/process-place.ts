import { prepareDaemons } from "../cluster/daemons.ts";
import { run } from "../cluster/node/run.ts";
import { tool } from "../cluster/node/tools.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { aTeam } from "../integration/journey/world/team.ts";
import { localProxy } from "./local-proxy.ts";
import type { Place, Say } from "./place.ts";

/** A place without a node: a control plane on loopback, and pods as groups of processes, without isolation. */
export async function processPlace(say: Say): Promise<Place> {
  await prepareDaemons("control plane", { say });
  say("starting the control plane, the process node, gateway, operator and broker");
  const world = await startWorld();
  try {
    return await furnish(world);
  } catch (error) {
    await world.close();
    throw error;
  }
}

async function furnish(world: World): Promise<Place> {
  const { github } = world;
  const team = await aTeam(world, "acme");
  const env = { ...process.env, KUBECONFIG: world.kubeconfigPath };
  const api = await localProxy([], env);
  const close = async (): Promise<void> => {
    await api.close();
    await world.close();
  };
  return {
    what: "the process node, which isolates nothing",
    namespace: team.namespace,
    repository: team.repo,
    mention: team.mention,
    bot: team.bot,
    kubectl: (args, input) => run([tool("kubectl"), ...args], { env, ...(input !== undefined && { input }) }),
    api: (path) => api.get(path),
    people<T>(verb: string, given: object): Promise<T> {
      const found = Reflect.get(github.people, verb) as ((given: object) => Promise<T>) | undefined;
      if (!found) throw new Error(`people cannot ${verb}`);
      return found(given);
    },
    remembered: <T>(path: string) => Promise.resolve(github.deliveries(/event=(\w+)/.exec(path)?.[1]) as T),
    rest: <T>(path: string) => team.read<T>(`/${path.replace(/^\/+/, "")}`),
    git: (...args) => run(["git", "-C", github.gitDir(team.repo), ...args]),
    around: [],
    logs: () => Promise.resolve(world.logs()),
    // Its servers live in this process.
    leave: close,
    close,
  };
}
