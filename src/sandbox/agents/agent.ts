import type { AgentEvent } from "../protocol/channel.ts";

/** The event format (dialect) of one kind of agent. */
export interface AgentReader {
  /** One line of `events.jsonl` as an event, cut to the protocol's bounds; undefined when the line says nothing we know. Never throws. */
  read(line: string): AgentEvent | undefined;
}
