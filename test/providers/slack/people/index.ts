import type { World } from "../state/world.ts";
import * as administer from "./administer.ts";
import * as interact from "./interact.ts";
import * as setup from "./setup.ts";
import * as talk from "./talk.ts";

const verbs = { ...setup, ...talk, ...interact, ...administer };

type Verbs = typeof verbs;

/**
 * Actions of people at Slack. Every method takes one plain object, changes the state, and resolves once the events that it caused
 * have been answered or have timed out. Later retries wait for the clock.
 */
export type People = {
  [Verb in keyof Verbs]: (given: Parameters<Verbs[Verb]>[1]) => Promise<Awaited<ReturnType<Verbs[Verb]>>>;
};

/** Binds the actions to a world. */
export function createPeople(world: World, afterwards: () => Promise<void>): People {
  const bound = Object.entries(verbs).map(([name, verb]) => [
    name,
    async (given: never): Promise<unknown> => {
      const result: unknown = await (verb as (world: World, given: never) => unknown)(world, given);
      await afterwards();
      return result;
    },
  ]);
  return Object.fromEntries(bound) as People;
}
