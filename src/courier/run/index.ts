import { type Clock, sleep } from "../../shared/clock.ts";
import { describeError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import { agentReaders } from "../../sandbox/agents/registry.ts";
import type { Broker } from "../broker.ts";
import { Folder } from "../folder.ts";
import { type Ending, writeOutcome } from "../outcome.ts";
import type { Places } from "../settings.ts";
import { signalAgent } from "./agent-files.ts";
import { conclude } from "./conclude.ts";
import { deliverEvents } from "./deliver-events.ts";
import { followAgent } from "./follow-agent.ts";
import { followEvents } from "./follow-events.ts";
import { openState, type StateFile } from "./state.ts";

/** Dependencies of the sidecar. */
export interface RunDeps {
  clock: Clock;
  log: Logger;
  broker: Broker;
  /** Aborted when the pod asks the courier to end (SIGTERM). */
  terminate: AbortSignal;
}

/** The entry script lets the container go 15 minutes after the agent's end, whatever we do. */
const publishPatienceMs = 14 * 60_000;
/** Time for publishing after the pod is asked to end, out of its 120 s. */
const terminatingPatienceMs = 100_000;
/** The kubelet starts a sidecar again that ends before the agent's container has; so it waits until it is asked to end. */
const lingerMs = 30_000;

/**
 * The sidecar: follows the agent to its end, brings out its work, writes the outcome and lets the agent's container go. Started again, it
 * goes on where it was: the same workspace makes the same commit.
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
      message: `The courier failed, and published nothing that it knows of: ${describeError(error)}`,
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
  // Delivers the agent's last events before the outcome, but does not delay the outcome for long.
  await delivery.flush(Math.min(10_000, remainingMs()));
  deps.log.info({ ...events.unread, how: end.how }, "the agent has ended");
  return conclude(end, { ...deps, places, spec, out, summary: () => lastSummary(out, reader), remainingMs });
}

function lastSummary(out: Folder, reader: (typeof agentReaders)["custom"]): string | undefined {
  const all = followEvents(out, reader, 0).readRest();
  const last = all.findLast(({ event }) => event.type === "result")?.event;
  return last?.type === "result" ? last.summary : undefined;
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
  const whole = { ...ending, ...(notProbed.length === 0 ? {} : { notProbed }) };
  try {
    writeOutcome(places.terminationLog, spec.attempt, whole);
    state.save({ outcome: { version: 1, attempt: spec.attempt, ...whole, message: whole.message.slice(0, 1024) } });
  } catch (error) {
    // A full disk, for example. Started again, this container would only do its work once more.
    log.error({ error }, "the outcome could not be stored");
  } finally {
    // Whatever fails here, the agent's container does not wait for it.
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
