import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { courierOutcome } from "../../sandbox/protocol/outcome.ts";
import { askReasons } from "./decide.ts";

const saved = z.object({
  /** When the agent was first seen to run, in milliseconds; wall clock counts from here. */
  startedMs: z.number().optional(),
  /** Why the agent was asked to end; stored before it is asked. */
  asked: z.enum(askReasons).optional(),
  /** How far into the agent's events the broker has said yes, in bytes. */
  ackedBytes: z.number(),
  /** How many events the broker has taken. */
  sequence: z.number(),
  /** Set when all is done; a courier that is started once more says only this. */
  outcome: courierOutcome.optional(),
});

/** The state from which a restarted courier continues. */
export type CourierState = z.infer<typeof saved>;

/** The state, kept in the courier's own volume. */
export interface StateFile {
  readonly state: CourierState;
  /** Merges and stores; as a whole or not at all. */
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
