import type { AgentEvent } from "../protocol/channel.ts";
import { custom } from "./custom.ts";

/** The event format (dialect) of one kind of agent. */
export interface AgentReader {
  /** One line of `events.jsonl` as an event, cut to the protocol's bounds; undefined when the line says nothing we know. Never throws. */
  read(line: string): AgentEvent | undefined;
}

/** The reader of each agent type. */
export const agentReaders = { custom } as const satisfies Record<string, AgentReader>;
