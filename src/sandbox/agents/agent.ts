import type { AgentEvent } from "../protocol/channel.ts";

/** The event format (dialect) of one kind of agent. */
export interface AgentReader {
  /**
   * Reads one line of `events.jsonl` as an event, with texts cut to the protocol's limits; undefined if the line is not an event of this
   * dialect. Never throws.
   */
  read(line: string): AgentEvent | undefined;
  /** Reads an event from the beginning of a line that is too long to be kept, as far as the beginning has it; undefined if that is too little. Never throws. */
  readCut(beginning: string): AgentEvent | undefined;
}
