import { setTimeout as delay } from "node:timers/promises";
import type { AgentTask } from "../../src/api/kinds.ts";
import { prepareDaemons } from "../cluster/daemons.ts";
import { eventually } from "../cluster/eventually.ts";
import { writesTo } from "../integration/journey/reactions.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { aTeam, type Team } from "../integration/journey/world/team.ts";
import { anIssue, type Thread } from "../integration/journey/world/thread.ts";
import { quantile, sparingly, spread } from "./statistics.ts";

const sizes = (process.env["SIZES"] ?? "20 60").split(" ").map(Number);
const slowMs = 1_200_000;
const everyMs = 100;
/** The neighbour asks again after this pause, so that the pace of its own App never delays it. */
const pauseMs = 3_000;
const calm = 5;

/**
 * Many mentions at once to one App, each in an issue of its own: the time to reaction, authorisation and final report. Meanwhile the people of
 * another organisation, which has its own App, ask one after the other: how long they wait for a reaction, against before the burst.
 */
export async function run(log: (line: string) => void): Promise<void> {
  await prepareDaemons("control plane", { say: log });
  const world = await startWorld();
  try {
    const neighbour = await anIssue(await aTeam(world, "neighbour", { integration: { reporting: {} } }));
    const before = await askInTurn(world, neighbour, (asked) => asked < calm);
    log(`neighbour before  reaction ${inSeconds(before)}`);
    for (const size of sizes) await burst({ world, neighbour, before, log }, size);
  } finally {
    await world.close();
  }
}

interface Bench {
  world: World;
  neighbour: Thread;
  /** The neighbour's waits before a burst, in milliseconds. */
  before: number[];
  log: (line: string) => void;
}

async function burst({ world, neighbour, before, log }: Bench, size: number): Promise<void> {
  const concurrency = { tasks: 10, perRepository: 10, perActor: 10 };
  const team = await aTeam(world, `burst-${size}`, { integration: { concurrency, reporting: {} } });
  const threads: Thread[] = [];
  for (let n = 0; n < size; n++) threads.push(await anIssue(team));
  let isOver = false;
  const meanwhile = askInTurn(world, neighbour, () => !isOver);
  const waits = await watch(world, team, threads, log).finally(() => (isOver = true));
  for (const [name, ms] of Object.entries(waits)) log(`${size} at once  ${name.padEnd(12)} ${inSeconds(ms)}`);
  const during = await meanwhile;
  log(`neighbour meanwhile  reaction ${inSeconds(during)}`);
  const ratios = during.map((ms) => ms / quantile(before, 0.5));
  log(`neighbour ratio      ${spread(ratios, 1)}, p95 ${quantile(ratios, 0.95).toFixed(1)}`);
}

/** Asks in all threads at once, and notes when each step of each task is seen. */
async function watch(
  world: World,
  team: Team,
  threads: readonly Thread[],
  log: Bench["log"],
): Promise<Record<string, number[]>> {
  const startedMs = performance.now();
  const progress = sparingly(log);
  const comments = await Promise.all(threads.map((thread) => thread.ask("please fix this")));
  const paths = comments.map((id) => `/repos/${team.repo}/issues/comments/${id}/reactions`);
  const seen: Record<string, number[]> = { reaction: [], authorised: [], "final report": [] };
  const note = (name: string, count: number): void => {
    for (const list = seen[name] ?? []; list.length < count;) list.push(performance.now() - startedMs);
  };
  const holding = (type: string): number =>
    world.tasks.list(team.namespace).filter((task) => isTrue(task, type)).length;
  const allReported = (): boolean => {
    note("reaction", paths.filter((path) => writesTo(world, path).length > 0).length);
    note("authorised", holding("Authorized"));
    note("final report", holding("Reported"));
    const reported = seen["final report"]?.length ?? 0;
    progress(`${reported} of ${threads.length} final reports`);
    return reported === threads.length;
  };
  await eventually(allReported, { describe: "every final report", timeoutMs: slowMs, everyMs });
  return seen;
}

/** Asks one comment after the other; returns the milliseconds to each reaction. */
async function askInTurn(world: World, thread: Thread, more: (asked: number) => boolean): Promise<number[]> {
  const waits: number[] = [];
  while (more(waits.length)) {
    const startedMs = performance.now();
    const path = `/repos/${thread.repo}/issues/comments/${await thread.ask(`please fix this, ${waits.length}`)}/reactions`;
    await eventually(() => writesTo(world, path).length > 0, {
      describe: "the neighbour's reaction",
      timeoutMs: slowMs,
      everyMs: 20,
    });
    waits.push(performance.now() - startedMs);
    await delay(pauseMs);
  }
  return waits;
}

function isTrue({ status }: AgentTask, type: string): boolean {
  return status?.conditions?.some((one) => one.type === type && one.status === "True") ?? false;
}

function inSeconds(ms: readonly number[]): string {
  const seconds = ms.map((one) => one / 1_000);
  return `${spread(seconds, 1)} s, p95 ${quantile(seconds, 0.95).toFixed(1)} s`;
}
