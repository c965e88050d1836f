import type { RefCommand } from "./pkt-line.ts";

/** A record of one call of git's smart HTTP protocol, for assertions. It never contains a token. */
export interface GitCall {
  at: string;
  /** `owner/name` as stored, or as requested if there is no such repository. */
  repository: string;
  service: "git-upload-pack" | "git-receive-pack";
  /** `advertise` is a request of `info/refs`. */
  step: "advertise" | "exchange";
  /** `app[bot] (installation 12)`, `ana`, or `anonymous`. */
  identity: string;
  /** For installation tokens: the permissions of the token. */
  permissions: Record<string, string>;
  status: number;
  protocol: string;
  wants: string[];
  filter: string | null;
  /** For a push: its ref updates, and whether each took effect. */
  updates: (RefCommand & { applied: boolean })[];
}
