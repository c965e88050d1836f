import { describeError } from "../../src/shared/errors.ts";
import { nodeSupport, stopNodeNamed } from "../cluster/node/index.ts";
import { childrenOf, identify, kill } from "../cluster/node/processes.ts";
import { clearContext, contextPlace } from "./context-place.ts";
import { nodePlace } from "./node-place.ts";
import type { Place } from "./place.ts";
import { mainJob, TaskFailed } from "./main-job.ts";
import { slackJob } from "./slack-job.ts";
import { sourceOf } from "./source.ts";

/**
 * `make demo`: the main job on the best cluster that this machine can run, or on the cluster of `CONTEXT`. The request comes from GitHub, or
 * from a thread in Slack with `FROM=slack`. `main.ts down` stops everything that `KEEP=1` left running.
 * The last line is `demo: ok, N s from delivery to answer`.
 */
const nodeName = "bellhop-demo";
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);
const context = process.env["CONTEXT"] ?? "";
const keep = (process.env["KEEP"] ?? "") !== "";

const howToGoOn =
  "Nothing on this cluster enforces NetworkPolicy for the egress of pods, and Bellhop starts no agent whose egress is open.\n" +
  "To go on: install a network plugin that does (Calico, Cilium; for kind: `disableDefaultCNI: true` and one of them),\n" +
  "or run `make demo` without CONTEXT, which starts a separate node if this machine can run one.";

const jobs = { github: mainJob, slack: slackJob };

let interruption = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void interrupted(signal));
}

if (process.argv[2] === "down") await down().catch(failed);
else await demo();

async function demo(): Promise<void> {
  try {
    const source = sourceOf(process.env);
    const place = await thePlace(source === "slack");
    say(`Bellhop is ready on ${place.what}`);
    const seconds = await runJob(place, jobs[source]);
    if (keep) await leave(place);
    else await place.close();
    say(`demo: ok, ${seconds} s from delivery to answer`);
  } catch (error) {
    failed(error);
  }
}

/** Prints the logs after a failure, before the place is removed. */
async function runJob(place: Place, job: typeof mainJob): Promise<string> {
  try {
    return await job(place, say);
  } catch (error) {
    if (interruption) throw error;
    if (!isNotEnforced(error)) complain(await place.logs().catch(describeError));
    await (keep ? place.leave() : place.close()).catch((left: unknown) => complain(describeError(left)));
    throw error;
  }
}

function failed(error: unknown): void {
  // Errors after an interruption are expected; the handler ends this process.
  if (interruption) return;
  complain(`demo: failed: ${describeError(error)}`);
  if (isNotEnforced(error)) complain(howToGoOn);
  process.exitCode = 1;
}

function isNotEnforced(error: unknown): boolean {
  return error instanceof TaskFailed && error.code === "EgressNotEnforced";
}

async function thePlace(slack: boolean): Promise<Place> {
  try {
    return await bestPlace(slack);
  } catch (error) {
    // The handler of an interruption ends everything itself.
    if (interruption) throw error;
    return giveUp(error);
  }
}

/** Ends everything that was started for a place that could not be made. */
async function giveUp(error: unknown): Promise<never> {
  failed(error);
  await endChildren();
  // The end of one process may have started another.
  await endChildren();
  return process.exit(1);
}

async function bestPlace(slack: boolean): Promise<Place> {
  if (context !== "") return contextPlace(process.env, say);
  const support = await nodeSupport();
  if (support.ok) return nodePlace({ name: nodeName, outlives: keep, slack, say });
  say(`no node can run here (${support.reason}): continuing with the control plane and the process node`);
  const { processPlace } = await import("./process-place.ts");
  return processPlace({ say, slack });
}

async function leave(place: Place): Promise<void> {
  await place.leave();
  if (place.around.length === 0) say(`KEEP: ${place.what} ends with this command`);
  else say("KEEP: it keeps running. To inspect it:");
  for (const line of place.around) say(`  ${line}`);
}

/** Stops everything that `KEEP=1`, or a killed demo, left running. */
async function down(): Promise<void> {
  if (context === "") await stopNodeNamed(nodeName);
  else await clearContext(context, say);
}

/** Ends every process that this one started, then removes the node, or the objects on the cluster. */
async function interrupted(signal: NodeJS.Signals): Promise<void> {
  interruption = true;
  say(`demo: ${signal}, cleaning up`);
  await endChildren();
  await down().catch((error: unknown) => complain(describeError(error)));
  process.exit(signal === "SIGINT" ? 130 : 143);
}

async function endChildren(): Promise<void> {
  await Promise.all(descendants(process.pid).map((pid) => endNow(pid)));
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [...descendants(child), child]);
}

async function endNow(pid: number): Promise<void> {
  const target = identify(pid);
  if (target) await kill(target);
}
