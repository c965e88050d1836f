import { join } from "node:path";
import { eventually } from "../../cluster/eventually.ts";
import type { World } from "./world/index.ts";
import { anIssue } from "./world/thread.ts";
import { aTeam, gated } from "./world/team.ts";

/** Called at the steps of the scenario. */
export interface ReactionWatch {
  /** A person is about to comment. */
  asking?(): void;
  /** The delivery of the comment was answered. */
  answered?(): void;
  /** The reaction to the comment is there. */
  reacted?(): void;
}

/**
 * People of one team request more tasks than may run at once: some tasks run, the others wait, and all are reported. The comments come one after
 * the other, because an App that writes in a burst waits: GitHub asks for one write a second. Returns the paths of the reactions, in order.
 */
export async function askForReactions(
  world: World,
  org: string,
  { comments, watch = {} }: { comments: number; watch?: ReactionWatch },
): Promise<string[]> {
  const concurrency = { tasks: 2, perRepository: 2, perActor: 2 };
  const profile = { agent: gated(join(world.folder, "never")) };
  const thread = await anIssue(await aTeam(world, org, { profile, integration: { concurrency, reporting: {} } }));
  const paths: string[] = [];
  for (let at = 0; at < comments; at++) {
    watch.asking?.();
    const commentId = await thread.ask(`please fix this, ${at}`);
    watch.answered?.();
    const path = `/repos/${thread.repo}/issues/comments/${commentId}/reactions`;
    await eventually(() => writesTo(world, path).length > 0, {
      describe: `a reaction to comment ${commentId}`,
      timeoutMs: 60_000,
    });
    watch.reacted?.();
    paths.push(path);
  }
  return paths;
}

/** Indexes of the POST requests to a path in GitHub's log. */
export function writesTo({ github }: World, path: string | RegExp): number[] {
  return github.requests.flatMap((request, at) => {
    const fits = typeof path === "string" ? request.path === path : path.test(request.path);
    return request.method === "POST" && fits ? [at] : [];
  });
}
