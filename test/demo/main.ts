import { describeError } from "../../src/shared/errors.ts";
import { nodeSupport, stopNodeNamed } from "../cluster/node/index.ts";
import { childrenOf, identify, kill } from "../cluster/node/processes.ts";
import { nodePlace } from "./node-place.ts";
import type { Place } from "./place.ts";
import { mainJob } from "./story.ts";

/**
 * `make demo`: the main job on the best cluster that this machine can run. `main.ts down` ends what `KEEP=1` left.
 * The last line is `demo: ok, N s from delivery to answer`.
 */
const nodeName = "bellhop-demo";
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);
const keep = (process.env["KEEP"] ?? "") !== "";

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void interrupted(signal));
}

if (process.argv[2] === "down") await stopNodeNamed(nodeName);
else await demo();

async function demo(): Promise<void> {
  let place: Place | undefined;
  try {
    place = await thePlace();
    say(`Bellhop is ready on ${place.what}`);
    const seconds = await mainJob(place, say);
    if (keep) lookAround(place);
    else await place.close();
    say(`demo: ok, ${seconds} s from delivery to answer`);
  } catch (error) {
    if (place) complain(await place.logs().catch(describeError));
    complain(`demo: failed: ${describeError(error)}`);
    if (!keep) await place?.close();
    process.exitCode = 1;
  }
}

async function thePlace(): Promise<Place> {
  const support = await nodeSupport();
  if (support.ok) return nodePlace({ name: nodeName, say });
  say(`no node can run here (${support.reason}): going on with the control plane and the process node`);
  const { processPlace } = await import("./process-place.ts");
  return processPlace(say);
}

function lookAround(place: Place): void {
  if (place.around.length === 0) say(`KEEP: ${place.what} ends with this command`);
  else say("KEEP: it goes on running. To look around:");
  for (const line of place.around) say(`  ${line}`);
}

/** Ends every process that this one started, then the node. */
async function interrupted(signal: NodeJS.Signals): Promise<void> {
  say(`demo: ${signal}, cleaning up`);
  await Promise.all(descendants(process.pid).map((pid) => endNow(pid)));
  await stopNodeNamed(nodeName).catch((error: unknown) => complain(describeError(error)));
  process.exit(signal === "SIGINT" ? 130 : 143);
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [...descendants(child), child]);
}

async function endNow(pid: number): Promise<void> {
  const target = identify(pid);
  if (target) await kill(target);
}
