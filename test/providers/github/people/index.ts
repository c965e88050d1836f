import { bindVerbs, type Bound } from "../../stand-in/people.ts";
import type { World } from "../state/world.ts";
import * as apps from "./apps.ts";
import * as code from "./code.ts";
import * as setup from "./setup.ts";
import * as talk from "./talk.ts";

const verbs = {
  ...setup,
  ...apps,
  ...talk,
  ...code,
  closePullRequest: talk.closeIssue,
};

/**
 * Actions of people at GitHub. Every method takes one plain object, changes the state, and resolves once the webhooks
 * that it caused have been answered or have timed out.
 */
export type People = Bound<typeof verbs>;

/** Binds the actions to a world. */
export function createPeople(world: World, afterwards: () => Promise<void>): People {
  return bindVerbs(verbs, world, afterwards);
}
