import type { AgentReader } from "./agent.ts";
import { custom } from "./custom.ts";

/** The reader of each agent type. */
export const agentReaders = { custom } as const satisfies Record<string, AgentReader>;
