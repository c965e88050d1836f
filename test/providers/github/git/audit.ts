import type { RefCommand } from "./pkt-line.ts";

/** One call of git's smart HTTP, as it went: for assertions. Never holds a token. */
export interface GitCall {
  at: string;
  /** `owner/name` as stored, or as asked for where there is none. */
  repository: string;
  service: "git-upload-pack" | "git-receive-pack";
  /** `advertise` is `info/refs`. */
  step: "advertise" | "exchange";
  /** `app[bot] (installation 12)`, `ana`, or `anonymous`. */
  identity: string;
  /** Installation tokens: what the token may do. */
  permissions: Record<string, string>;
  status: number;
  protocol: string;
  wants: string[];
  filter: string | null;
  /** A push's ref updates, and whether each took effect. */
  updates: (RefCommand & { applied: boolean })[];
}
