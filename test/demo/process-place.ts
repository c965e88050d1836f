import { defined } from "../../src/shared/defined.ts";
import { prepareDaemons } from "../cluster/daemons.ts";
import { run } from "../cluster/node/run.ts";
import { tool } from "../cluster/node/tools.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { aSlackTeam } from "../integration/journey/world/slack.ts";
import { aTeam, type Team } from "../integration/journey/world/team.ts";
import { localProxy } from "./local-proxy.ts";
import type { Place, Say, SlackPlace } from "./place.ts";
import { secondRepository } from "./slack-host.ts";

/** A place without a node: a control plane on loopback, and pods as groups of processes, without isolation. */
export async function processPlace({ say, slack }: { say: Say; slack: boolean }): Promise<Place> {
  await prepareDaemons("control plane", { say });
  say("starting the control plane, the process node, gateway, operator and broker");
  const world = await startWorld();
  try {
    return await furnish(world, slack);
  } catch (error) {
    await world.close();
    throw error;
  }
}

async function furnish(world: World, withSlack: boolean): Promise<Place> {
  const { github } = world;
  const team = await aTeam(world, "acme");
  const workspace = withSlack ? await slackOf(world, team) : undefined;
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
    people: actionsOf(github.people),
    remembered: <T>(path: string) => Promise.resolve(github.deliveries(/event=(\w+)/.exec(path)?.[1]) as T),
    rest: <T>(path: string) => team.read<T>(`/${path.replace(/^\/+/, "")}`),
    ...(workspace && { slack: workspace }),
    git: (...args) => run(["git", "-C", github.gitDir(team.repo), ...args]),
    around: [],
    logs: () => Promise.resolve(world.logs()),
    // Its servers live in this process.
    leave: close,
    close,
  };
}

async function slackOf({ slack, github }: World, team: Team): Promise<SlackPlace> {
  await github.people.setVisibility({ repo: team.repo, private: false });
  await github.people.createRepo(secondRepository);
  const { channel } = await aSlackTeam(team);
  return {
    channel,
    people: actionsOf(slack.people),
    async fail(method, failure, times) {
      const injection = slack.fail({ method }, failure, defined({ times }));
      return { hits: async () => injection.hits, stop: async () => injection.stop() };
    },
    calls: (method) => Promise.resolve(slack.calls(method)),
    messages: ({ channel: at, ts }) => Promise.resolve(slack.messages(at, { thread: ts })),
    deliveries: (type) => Promise.resolve(slack.deliveries(type)),
    violations: () => Promise.resolve(slack.violations),
  };
}

/** The actions of people, by verb. */
function actionsOf(people: object): Place["people"] {
  return <T>(verb: string, given: object): Promise<T> => {
    const found = Reflect.get(people, verb) as ((given: object) => Promise<T>) | undefined;
    if (!found) throw new Error(`people cannot ${verb}`);
    return found(given);
  };
}
