import { type Clock, sleep } from "../../shared/clock.ts";
import { describeError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { Broker } from "../broker.ts";
import type { Folder } from "../folder.ts";
import type { Places } from "../settings.ts";
import { type AgentSigns, handedOverMs, newestChange, readSigns, signalAgent } from "./agent-files.ts";
import { type AskReason, decideNext, type Next } from "./decide.ts";
import type { EventDelivery } from "./deliver-events.ts";
import type { EventFollower } from "./follow-events.ts";
import type { StateFile } from "./state.ts";

/** How the agent's time ended. */
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

/** Follows the agent until it ends or is abandoned: passes its events on, enforces the wall clock and the stall limit, obeys the operator. */
export async function followAgent(deps: FollowDeps): Promise<AgentEnd> {
  const { clock } = deps;
  const operator = operatorWatch(deps);
  const activity = activityWatch(deps);
  const handedOver = handedOverMs(deps.places);
  let asked = askedBefore(deps);
  let exitSeenMs: number | undefined;

  for (;;) {
    const nowMs = clock.now().getTime();
    const signs = readSigns(deps.out, handedOver);
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
  log.info({ reason }, "the agent is asked to end");
  state.save({ asked: reason });
  signalAgent(places, "stop");
  return { reason, atMs };
}

/** The stop that an earlier run of this container requested, or was about to: it is requested once more, with a new wait. */
function askedBefore(deps: FollowDeps): Asked | undefined {
  const { asked } = deps.state.state;
  return asked === undefined ? undefined : ask(asked, deps.clock.now().getTime(), deps);
}

function startedMs(state: StateFile, signs: AgentSigns, nowMs: number): number | undefined {
  if (state.state.startedMs === undefined && signs.started) state.save({ startedMs: nowMs });
  return state.state.startedMs;
}

/** Asks the operator every 10 s, in the background; a broker that is away changes nothing. */
function operatorWatch({ broker, log }: FollowDeps): { tick(nowMs: number): void; stopWanted(): boolean } {
  let askedMs = 0;
  let stop = false;
  const askNow = async (): Promise<void> => {
    try {
      stop ||= (await broker.task()).stop;
    } catch (error) {
      log.warn({ error: describeError(error) }, "the operator's wishes could not be read; asked again");
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

/** When the agent last showed a sign of life. The workspace is looked through only when it has been silent for its whole limit. */
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
