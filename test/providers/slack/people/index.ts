import { bindVerbs, type Bound } from "../../stand-in/people.ts";
import type { World } from "../state/world.ts";
import * as administer from "./administer.ts";
import * as interact from "./interact.ts";
import * as setup from "./setup.ts";
import * as talk from "./talk.ts";

const verbs = { ...setup, ...talk, ...interact, ...administer };

/**
 * Actions of people at Slack. Every method takes one plain object, changes the state, and resolves once the events that it caused
 * have been answered or have timed out. Later retries wait for the clock.
 */
export type People = Bound<typeof verbs>;

/** Binds the actions to a world. */
export function createPeople(world: World, afterwards: () => Promise<void>): People {
  return bindVerbs(verbs, world, afterwards);
}
