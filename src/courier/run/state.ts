import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { courierOutcome } from "../../sandbox/protocol/outcome.ts";
import { askReasons } from "./decide.ts";

const saved = z.object({
  /** When the courier first saw that the agent runs, in milliseconds. The wall clock limit counts from here. */
  startedMs: z.number().optional(),
  /** Why the agent was asked to end. Stored before the request is sent. */
  asked: z.enum(askReasons).optional(),
  /** End of the last event that the broker accepted, in bytes from the start of the agent's event file. */
  ackedBytes: z.number(),
  /** Number of events that the broker has accepted. */
  sequence: z.number(),
  /** Set at the end. A courier that is started again only repeats this outcome. */
  outcome: courierOutcome.optional(),
});

/** The state from which a restarted courier continues. */
export type CourierState = z.infer<typeof saved>;

/** The state file in the courier's own volume. */
export interface StateFile {
  readonly state: CourierState;
  /** Merges the change into the state and stores it atomically. */
  save(change: Partial<CourierState>): void;
}

/** Opens the state of an earlier run of this container, or starts with an empty one. */
export function openState(folder: string): StateFile {
  const file = path.join(folder, "state.json");
  let state = load(file);
  return {
    get state() {
      return state;
    },
    save(change) {
      state = { ...state, ...change };
      writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
  };
}

function load(file: string): CourierState {
  const parsed = saved.safeParse(parse(file));
  return parsed.success ? parsed.data : { ackedBytes: 0, sequence: 0 };
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Missing, or incomplete after a crash: the run starts again, which repeats work but changes no result.
    return undefined;
  }
}
