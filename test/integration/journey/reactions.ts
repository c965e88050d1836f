import { join } from "node:path";
import { eventually } from "../../cluster/eventually.ts";
import type { World } from "./world/index.ts";
import { anIssue } from "./world/story.ts";
import { aTeam, gated } from "./world/team.ts";

/** What a scenario of reactions tells as it goes. */
export interface ReactionWatch {
  /** A person is about to comment. */
  asking?(): void;
  /** The delivery of the comment was answered. */
  answered?(): void;
  /** The reaction to it is there. */
  reacted?(): void;
}

/**
 * A team whose people ask for more than may run at once, comment after comment: some work runs, the rest waits, and all of it is reported on.
 * One after the other: what an App writes in a burst waits, one a second, as GitHub asks. Gives the paths of the reactions, in order.
 */
export async function askForReactions(
  world: World,
  org: string,
  { comments, watch = {} }: { comments: number; watch?: ReactionWatch },
): Promise<string[]> {
  const concurrency = { tasks: 2, perRepository: 2, perActor: 2 };
  const profile = { agent: gated(join(world.folder, "never")) };
  const story = await anIssue(await aTeam(world, org, { profile, integration: { concurrency, reporting: {} } }));
  const paths: string[] = [];
  for (let at = 0; at < comments; at++) {
    watch.asking?.();
    const said = await story.ask(`please fix this, ${at}`);
    watch.answered?.();
    const path = `/repos/${story.repo}/issues/comments/${said}/reactions`;
    await eventually(() => writesTo(world, path).length > 0, {
      describe: `a reaction to comment ${said}`,
      timeoutMs: 60_000,
    });
    watch.reacted?.();
    paths.push(path);
  }
  return paths;
}

/** Where in GitHub's log things were created at a path. */
export function writesTo({ github }: World, path: string | RegExp): number[] {
  return github.requests.flatMap((request, at) => {
    const fits = typeof path === "string" ? request.path === path : path.test(request.path);
    return request.method === "POST" && fits ? [at] : [];
  });
}
