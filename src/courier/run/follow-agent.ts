import { type Clock, sleep } from "../../shared/clock.ts";
import { describeError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { Broker } from "../broker.ts";
import type { Folder } from "../folder.ts";
import type { Places } from "../settings.ts";
import { type AgentSigns, inputWrittenMs, newestChange, readSigns, signalAgent } from "./agent-files.ts";
import { type AskReason, decideNext, type Next } from "./decide.ts";
import type { EventDelivery } from "./deliver-events.ts";
import type { EventFollower } from "./follow-events.ts";
import type { StateFile } from "./state.ts";

/** How the agent ended. */
export interface AgentEnd {
  how: Extract<Next, { next: "end" }>["how"];
  /** The result that the entry script wrote: `ended` by itself, `stopped` by us, `terminated` with the pod. */
  stopped: string | undefined;
  asked: AskReason | undefined;
}

/** Dependencies of `followAgent`. */
export interface FollowDeps {
  clock: Clock;
  log: Logger;
  broker: Pick<Broker, "task">;
  terminate: AbortSignal;
  places: Places;
  spec: SandboxSpec;
  state: StateFile;
  out: Folder;
  events: EventFollower;
  delivery: EventDelivery;
}

const lookEveryMs = 250;
const askOperatorEveryMs = 10_000;

/**
 * Follows the agent until it ends or is abandoned. Meanwhile forwards its events, enforces the wall clock and stall limits, and stops it if the
 * operator wants that.
 */
export async function followAgent(deps: FollowDeps): Promise<AgentEnd> {
  const { clock } = deps;
  const operator = operatorWatch(deps);
  const activity = activityWatch(deps);
  const inputWritten = inputWrittenMs(deps.places);
  let asked = askedBefore(deps);
  let exitSeenMs: number | undefined;

  for (;;) {
    const nowMs = clock.now().getTime();
    const signs = readSigns(deps.out, inputWritten);
    const activeMs = activity(signs, nowMs);
    operator.tick(nowMs);
    deps.delivery.tick();
    if (signs.exitSeen) exitSeenMs ??= nowMs;
    const next = decideNext({
      nowMs,
      activeMs,
      asked,
      exitSeenMs,
      limits: deps.spec.limits,
      startedMs: startedMs(deps.state, signs, nowMs),
      stopped: signs.stopped,
      stopWanted: operator.stopWanted(),
      terminating: deps.terminate.aborted,
    });
    if (next.next === "end") return { how: next.how, stopped: signs.stopped, asked: asked?.reason };
    if (next.next === "ask") asked = ask(next.reason, nowMs, deps);
    await sleep(clock, lookEveryMs);
  }
}

interface Asked {
  reason: AskReason;
  atMs: number;
}

function ask(reason: AskReason, atMs: number, { log, places, state }: FollowDeps): Asked {
  log.info({ reason }, "asking the agent to end");
  state.save({ asked: reason });
  signalAgent(places, "stop");
  return { reason, atMs };
}

/**
 * Repeats the request to end that an earlier run of this container stored, because that run may have been killed before it sent the request.
 * The wait starts again.
 */
function askedBefore(deps: FollowDeps): Asked | undefined {
  const { asked } = deps.state.state;
  return asked === undefined ? undefined : ask(asked, deps.clock.now().getTime(), deps);
}

function startedMs(state: StateFile, signs: AgentSigns, nowMs: number): number | undefined {
  if (state.state.startedMs === undefined && signs.started) state.save({ startedMs: nowMs });
  return state.state.startedMs;
}

/** Asks every 10 s, in the background, whether the operator wants the attempt to end. If the broker is unavailable, the last answer stays. */
function operatorWatch({ broker, log }: FollowDeps): { tick(nowMs: number): void; stopWanted(): boolean } {
  let askedMs = 0;
  let stop = false;
  const askNow = async (): Promise<void> => {
    try {
      stop ||= (await broker.task()).stop;
    } catch (error) {
      log.warn({ error: describeError(error) }, "could not read the state of the task; trying again");
    }
  };
  return {
    tick(nowMs) {
      if (nowMs - askedMs < askOperatorEveryMs) return;
      askedMs = nowMs;
      void askNow();
    },
    stopWanted: () => stop,
  };
}

/** Returns the time of the agent's last activity. The workspace is searched only if the agent has been silent for the whole stall limit. */
function activityWatch({
  clock,
  delivery,
  events,
  places,
  spec,
}: FollowDeps): (signs: AgentSigns, nowMs: number) => number {
  let activeMs = clock.now().getTime();
  let printed = -1;
  return (signs, nowMs) => {
    const fresh = events.read();
    delivery.add(fresh);
    if (fresh.length > 0 || signs.printed !== printed || !signs.started) activeMs = nowMs;
    printed = signs.printed;
    if (nowMs - activeMs > spec.limits.stallMs)
      activeMs = Math.max(activeMs, Math.min(nowMs, newestChange(places.workspace)));
    return activeMs;
  };
}
