import { prepareDaemons } from "../cluster/daemons.ts";
import { askForReactions } from "../integration/journey/reactions.ts";
import { startWorld } from "../integration/journey/world/index.ts";
import { quantile, sparingly, spread } from "./statistics.ts";

const teams = ["reacting-a", "reacting-b", "reacting-c", "reacting-d"];
const comments = 5;

/**
 * Compares the time from a comment to the bot's reaction with the time to the gateway's answer, while other tasks run, wait and are
 * reported.
 */
export async function run(log: (line: string) => void): Promise<void> {
  await prepareDaemons("control plane", { say: log });
  const world = await startWorld();
  const progress = sparingly(log);
  const answers: number[] = [];
  const reactions: number[] = [];
  try {
    await Promise.all(teams.map((org) => askForReactions(world, org, { comments, watch: stopwatch() })));
  } finally {
    await world.close();
  }
  const ratios = reactions.map((ms, at) => ms / (answers[at] ?? Number.NaN));
  log(`${teams.length} teams, ${comments} comments each, one after the other`);
  log(`answer    ${spread(answers, 0)} ms, p95 ${quantile(answers, 0.95).toFixed(0)} ms`);
  log(`reaction  ${spread(reactions, 0)} ms, p95 ${quantile(reactions, 0.95).toFixed(0)} ms`);
  log(`ratio     ${spread(ratios, 1)}`);

  function stopwatch(): { asking(): void; answered(): void; reacted(): void } {
    let [askedMs, answeredMs] = [0, 0];
    return {
      asking: () => (askedMs = performance.now()),
      answered: () => (answeredMs = performance.now()),
      reacted() {
        answers.push(answeredMs - askedMs);
        reactions.push(performance.now() - askedMs);
        progress(`${reactions.length} of ${teams.length * comments} comments`);
      },
    };
  }
}
