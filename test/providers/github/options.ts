import type { StandInOptions } from "../stand-in/options.ts";

/** Options of a stand-in. `deliveryTimeoutMs` is 10,000 by default, as GitHub's. */
export interface GitHubOptions extends StandInOptions {
  /** Folder that keeps repositories and state after the process ends; by default a temporary folder that is removed at the end. */
  stateDir?: string;
  /** `status_code` of deliveries without an answer; 502 by default. With 0, a filter by failure misses the delivery. */
  unreachableStatusCode?: number;
}
