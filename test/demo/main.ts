import { describeError } from "../../src/shared/errors.ts";
import { nodeSupport, stopNodeNamed } from "../cluster/node/index.ts";
import { childrenOf, identify, kill } from "../cluster/node/processes.ts";
import { clearContext, contextPlace } from "./context-place.ts";
import { nodePlace } from "./node-place.ts";
import type { Place } from "./place.ts";
import { mainJob, TaskFailed } from "./story.ts";

/**
 * `make demo`: the main job on the best cluster that this machine can run, or on that of `CONTEXT`. `main.ts down`
 * ends what `KEEP=1` left.
 * The last line is `demo: ok, N s from delivery to answer`.
 */
const nodeName = "bellhop-demo";
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);
const context = process.env["CONTEXT"] ?? "";
const keep = (process.env["KEEP"] ?? "") !== "";

const howToGoOn =
  "Nothing on this cluster enforces NetworkPolicy for what pods send, and Bellhop starts no agent where it could reach all.\n" +
  "To go on: install a network plugin that does (Calico, Cilium; for kind: `disableDefaultCNI: true` and one of them),\n" +
  "or run `make demo` without CONTEXT, which starts a node of its own where this machine can.";

let interruption = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void interrupted(signal));
}

if (process.argv[2] === "down") await down().catch(failed);
else await demo();

async function demo(): Promise<void> {
  try {
    const place = await thePlace();
    say(`Bellhop is ready on ${place.what}`);
    const seconds = await story(place);
    if (keep) await leave(place);
    else await place.close();
    say(`demo: ok, ${seconds} s from delivery to answer`);
  } catch (error) {
    failed(error);
  }
}

/** Where it fails, what a person needs to see why is said before the place goes. */
async function story(place: Place): Promise<string> {
  try {
    return await mainJob(place, say);
  } catch (error) {
    if (interruption) throw error;
    if (!isNotEnforced(error)) complain(await place.logs().catch(describeError));
    await (keep ? place.leave() : place.close()).catch((left: unknown) => complain(describeError(left)));
    throw error;
  }
}

function failed(error: unknown): void {
  // What an interruption takes away is no failure to tell of; the handler ends this process.
  if (interruption) return;
  complain(`demo: failed: ${describeError(error)}`);
  if (isNotEnforced(error)) complain(howToGoOn);
  process.exitCode = 1;
}

function isNotEnforced(error: unknown): boolean {
  return error instanceof TaskFailed && error.code === "EgressNotEnforced";
}

async function thePlace(): Promise<Place> {
  try {
    return await bestPlace();
  } catch (error) {
    // The handler of an interruption ends everything itself.
    if (interruption) throw error;
    return giveUp(error);
  }
}

/** Where no place comes about, nothing that was begun for it goes on. */
async function giveUp(error: unknown): Promise<never> {
  failed(error);
  await endChildren();
  // The end of one may have been what another waited for to begin.
  await endChildren();
  return process.exit(1);
}

async function bestPlace(): Promise<Place> {
  if (context !== "") return contextPlace(process.env, say);
  const support = await nodeSupport();
  if (support.ok) return nodePlace({ name: nodeName, outlives: keep, say });
  say(`no node can run here (${support.reason}): going on with the control plane and the process node`);
  const { processPlace } = await import("./process-place.ts");
  return processPlace(say);
}

async function leave(place: Place): Promise<void> {
  await place.leave();
  if (place.around.length === 0) say(`KEEP: ${place.what} ends with this command`);
  else say("KEEP: it goes on running. To look around:");
  for (const line of place.around) say(`  ${line}`);
}

/** Ends what `KEEP=1`, or a demo that was killed, left. */
async function down(): Promise<void> {
  if (context === "") await stopNodeNamed(nodeName);
  else await clearContext(context, say);
}

/** Ends every process that this one started, then what they leave: the node, or what is on the cluster. */
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
