import { setTimeout as delay } from "node:timers/promises";
import { aNamespace } from "../cluster/namespace.ts";
import { prepareDaemons } from "../cluster/daemons.ts";
import { eventually } from "../cluster/eventually.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { aTeam, type Team } from "../integration/journey/world/team.ts";
import { anIssue, type Thread } from "../integration/journey/world/thread.ts";
import { createFinished } from "./finished.ts";
import { processorMsOfProcess, residentOf } from "./memory/resident.ts";
import { several } from "./memory/several.ts";

const sizes = (process.env["SIZES"] ?? "10 1000 6000").split(" ").map(Number);
const events = Number(process.env["EVENTS"] ?? 5);
const steadyMs = 20_000;
const slowMs = 600_000;

/** Use of an operator since it started. */
interface Used {
  processorMs: number;
  /** Requests to the API server, renewals of the Lease included. */
  requests: number;
}

/** The figures for one number of tasks. */
interface Figures {
  leaderMs: number;
  firstReactionMs: number;
  start: Used;
  mostMiB: number;
  /** In one second without events. */
  steady: Used;
  /** For one event, from the mention to the final report, without the steady use. */
  event: Used;
}

/**
 * Measures an operator that starts in a cluster with a number of finished tasks, what it uses without events, and what one event
 * costs from the mention to the final report. All processes and the stand-in for GitHub share the machine.
 */
export async function run(log: (line: string) => void): Promise<void> {
  await prepareDaemons("control plane", { say: log });
  const world = await startWorld();
  try {
    const team = await aTeam(world, "acme", { integration: { reporting: {} } });
    const old = await aNamespace(world.client, "old");
    const thread = await anIssue(team);
    let created = 0;
    const all: Figures[] = [];
    for (const size of sizes) {
      await world.parts.operator?.stop();
      const begin = created;
      await several({ what: "finished tasks created", total: size - begin, atOnce: 16, log }, (id) =>
        createFinished(world.client, old, begin + id),
      );
      created = size;
      all.push(await measure(team, thread));
      log(describe(size, all));
    }
  } finally {
    await world.close();
  }
}

async function measure(team: Team, thread: Thread): Promise<Figures> {
  const { world } = team;
  const startedMs = performance.now();
  await world.start("operator");
  const asked = reactionTo(world, thread, await thread.ask("please fix this at the start"));
  const [leaderMs, firstReactionMs] = await Promise.all(
    [leads(world), asked].map((one) => one.then(() => performance.now() - startedMs)),
  );
  await delay(steadyMs);
  const start = await used(world);
  const mostMiB = residentOf(pidOf(world)).most;
  const steady = await meanwhile(world, () => delay(steadyMs));
  const perSecond = scaled(steady, 1_000 / steadyMs);
  const cost = await eventCost(team, perSecond);
  return {
    leaderMs: leaderMs ?? 0,
    firstReactionMs: firstReactionMs ?? 0,
    start,
    mostMiB,
    steady: perSecond,
    event: cost,
  };
}

/** The cost of one event, without what the operator uses in that time anyway. */
async function eventCost(team: Team, perSecond: Used): Promise<Used> {
  const startedMs = performance.now();
  const cost = await meanwhile(team.world, async () => {
    for (let n = 0; n < events; n++) {
      const thread = await anIssue(team);
      await thread.reported(await thread.ask(`please fix this, ${n}`));
    }
  });
  const idle = scaled(perSecond, (performance.now() - startedMs) / 1_000);
  return scaled(less(cost, idle), 1 / events);
}

async function meanwhile(world: World, work: () => Promise<unknown>): Promise<Used> {
  const before = await used(world);
  await work();
  return less(await used(world), before);
}

function less(used: Used, other: Used): Used {
  return { processorMs: used.processorMs - other.processorMs, requests: used.requests - other.requests };
}

function scaled({ processorMs, requests }: Used, by: number): Used {
  return { processorMs: processorMs * by, requests: requests * by };
}

async function used(world: World): Promise<Used> {
  const lines = (await metrics(world)).split("\n").filter((line) => line.startsWith("rest_client_requests_total{"));
  const requests = lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  return { processorMs: processorMsOfProcess(pidOf(world)), requests };
}

async function metrics({ probes }: World): Promise<string> {
  return (await fetch(`${probes.operator}/metrics`)).text();
}

async function leads(world: World): Promise<void> {
  const leader = async (): Promise<boolean> =>
    /^leader_election_master_status\{.*\} 1$/m.test(await metrics(world).catch(() => ""));
  await eventually(leader, { describe: "the operator to lead", timeoutMs: slowMs, everyMs: 20 });
}

async function reactionTo({ github }: World, { repo }: Thread, commentId: string): Promise<void> {
  const path = `/repos/${repo}/issues/comments/${commentId}/reactions`;
  const reacted = (): boolean => github.requests.some((request) => request.path === path && request.method === "POST");
  await eventually(reacted, { describe: "a reaction to the first event", timeoutMs: slowMs, everyMs: 20 });
}

function pidOf({ parts }: World): number {
  if (!parts.operator) throw new Error("no operator runs");
  return parts.operator.pid;
}

function describe(size: number, all: readonly Figures[]): string {
  const [now, least] = [all.at(-1), all[0]];
  if (!now || !least) return "";
  const figure = (of: (figures: Figures) => number, unit: string, digits = 0): string =>
    `${of(now).toFixed(digits)}${unit} (×${(of(now) / of(least)).toFixed(1)})`;
  return [
    `${size} tasks:`.padEnd(12),
    `leads after ${figure((one) => one.leaderMs / 1_000, " s", 1)}, first reaction ${figure((one) => one.firstReactionMs / 1_000, " s", 1)};`,
    `start: ${figure((one) => one.start.processorMs / 1_000, " s", 1)} of a processor, ${figure((one) => one.start.requests, " requests")}, most ${figure((one) => one.mostMiB, " MiB")};`,
    `steady: ${figure((one) => one.steady.processorMs / 10, " % of a processor", 1)}, ${figure((one) => one.steady.requests, " requests/s", 1)};`,
    `one event: ${figure((one) => one.event.processorMs, " ms of a processor")}, ${figure((one) => one.event.requests, " requests")}`,
  ].join(" ");
}
