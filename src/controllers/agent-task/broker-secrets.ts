import type { AgentTask } from "../../api/kinds.ts";
import type { CodeHost } from "../../integrations/connection.ts";

/** The short-lived git tokens of tasks, in Secrets `task-<uid>` of the broker's namespace. Every method is idempotent. */
export interface TaskCredentials {
  /** When the fetch token has to be minted anew; undefined where there is none. From memory. */
  refreshAt(task: AgentTask): Date | undefined;
  /** Mints the fetch token where it is missing or runs out, and stores it for the broker. */
  ensureFetch(task: AgentTask, host: CodeHost, signal: AbortSignal): Promise<void>;
  /** Mints the push token and stores it beside the fetch token; called only once the output policy has said yes. */
  allowPush(task: AgentTask, host: CodeHost, signal: AbortSignal): Promise<void>;
  /** Whether anything of the task is still in the broker's namespace. From memory. */
  holds(task: AgentTask): boolean;
  /** Revokes both tokens where `host` is given and deletes the Secret. A token that cannot be revoked runs out by itself, and is logged. */
  revoke(task: AgentTask, host: CodeHost | undefined, signal: AbortSignal): Promise<void>;
}
