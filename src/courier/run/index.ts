import { type Clock, sleep } from "../../shared/clock.ts";
import { describeError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { AgentReader } from "../../sandbox/agents/agent.ts";
import { agentReaders } from "../../sandbox/agents/registry.ts";
import type { Broker } from "../broker.ts";
import { Folder } from "../folder.ts";
import { type Ending, writeOutcome } from "../outcome.ts";
import type { Places } from "../settings.ts";
import { signalAgent } from "./agent-files.ts";
import { conclude } from "./conclude.ts";
import { deliverEvents } from "./deliver-events.ts";
import { followAgent } from "./follow-agent.ts";
import { describeUnread, followEvents, maxFileBytes, type FollowedEvent } from "./follow-events.ts";
import { openState, type StateFile } from "./state.ts";

/** Dependencies of the sidecar. */
export interface RunDeps {
  clock: Clock;
  log: Logger;
  broker: Broker;
  /** Aborted when the pod asks the courier to end (SIGTERM). */
  terminate: AbortSignal;
}

/** Time for publishing after the agent's end. The entry script lets its container exit 15 minutes after that, even without a release. */
const publishPatienceMs = 14 * 60_000;
/** Time for publishing after the pod is asked to end; its grace period is 120 s. */
const terminatingPatienceMs = 100_000;
/** Time to wait for SIGTERM at the end, because the kubelet restarts a sidecar that exits before the agent's container. */
const lingerMs = 30_000;

/**
 * Runs as the sidecar: follows the agent to its end, publishes its work, writes the outcome and lets the agent's container exit. If it is
 * started again, it continues where it was: the same workspace gives the same commit.
 */
export async function run(places: Places, spec: SandboxSpec, deps: RunDeps): Promise<void> {
  const state = openState(places.courier);
  const ending = state.state.outcome ?? (await endOf(places, spec, state, deps));
  deps.log.info({ reason: ending.reason, detail: ending.message }, "the attempt has ended");
  finish(places, spec, ending, { ...deps, state });
  await lingering(deps);
}

async function endOf(places: Places, spec: SandboxSpec, state: StateFile, deps: RunDeps): Promise<Ending> {
  try {
    return await work(places, spec, state, deps);
  } catch (error) {
    deps.log.error({ error }, "the courier failed");
    return {
      reason: "InternalError",
      message: `The courier failed. As far as it knows, nothing was published: ${describeError(error)}`,
    };
  }
}

async function work(places: Places, spec: SandboxSpec, state: StateFile, deps: RunDeps): Promise<Ending> {
  const out = Folder.open(places.out);
  const reader = agentReaders[spec.agent.type];
  const events = followEvents(out, reader, state.state.ackedBytes);
  const delivery = deliverEvents({ ...deps, state });
  const end = await followAgent({ ...deps, places, spec, state, out, events, delivery });
  const endedMs = deps.clock.now().getTime();
  const remainingMs = deadline(endedMs, deps);
  delivery.add(events.readRest());
  const result = readResult(out, reader);
  if (result.note !== undefined) delivery.add([result.note]);
  // Delivers the agent's last events before the outcome, but does not delay the outcome for long.
  await delivery.flush(Math.min(10_000, remainingMs()));
  deps.log.info({ ...events.unread, how: end.how }, "the agent has ended");
  return conclude(end, { ...deps, places, spec, out, summary: () => result.summary, remainingMs });
}

/** The summary of the agent's last `result`. If not everything was read, it says so, and `note` is the event that brings it into the report. */
function readResult(out: Folder, reader: AgentReader): { summary: string | undefined; note?: FollowedEvent } {
  const follower = followEvents(out, reader, 0);
  const last = follower.readRest().findLast(({ event }) => event.type === "result")?.event;
  const summary = last?.type === "result" ? last.summary : undefined;
  const missing = describeUnread(follower.unread);
  if (missing === undefined || (summary !== undefined && !follower.unread.capped)) return { summary };
  const said = `${summary === undefined ? "" : `${summary.slice(0, 16_000).toWellFormed()}\n\n`}[${missing}.]`;
  return {
    summary: said,
    note: { event: { type: "result", summary: said }, endBytes: maxFileBytes, sizeBytes: Buffer.byteLength(said) },
  };
}

function deadline(startMs: number, { clock, terminate }: RunDeps): () => number {
  let untilMs = startMs + publishPatienceMs;
  const shorten = (): void => {
    untilMs = Math.min(untilMs, clock.now().getTime() + terminatingPatienceMs);
  };
  if (terminate.aborted) shorten();
  else terminate.addEventListener("abort", shorten, { once: true });
  return () => untilMs - clock.now().getTime();
}

function finish(
  places: Places,
  spec: SandboxSpec,
  ending: Ending,
  { log, state }: { log: Logger; state: StateFile },
): void {
  const notProbed = spec.egress.notProbed.slice(0, 8).map((name) => name.slice(0, 64));
  const complete = { ...ending, ...(notProbed.length === 0 ? {} : { notProbed }) };
  try {
    writeOutcome(places.terminationLog, spec.attempt, complete);
    state.save({
      outcome: { version: 1, attempt: spec.attempt, ...complete, message: complete.message.slice(0, 1024) },
    });
  } catch (error) {
    // For example, the disk is full. Throwing would only restart this container, which would repeat its work.
    log.error({ error }, "could not store the outcome");
  } finally {
    // The agent's container must not wait, whatever failed above.
    signalAgent(places, "stop");
    signalAgent(places, "release");
  }
}

async function lingering({ clock, terminate }: RunDeps): Promise<void> {
  try {
    await sleep(clock, lingerMs, terminate);
  } catch {
    // Asked to end, as expected.
  }
}
