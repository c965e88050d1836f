import type { Clock } from "../../../src/shared/clock.ts";
import type { ServerTls } from "./tls.ts";

/** How a stand-in starts; everything has a default that suits a test. */
export interface GitHubOptions {
  /** Address to listen on: loopback unless said otherwise. */
  host?: string;
  /** 0 (any free one) unless said otherwise. */
  port?: number;
  /** Web address that links in answers carry, without trailing slash; else made of `host` and the port. */
  publicUrl?: string;
  /** Plain HTTP instead of HTTPS. */
  plainHttp?: boolean;
  /** Key, certificate and authority; made at start unless given. */
  tls?: ServerTls;
  /** Further names and addresses of the made certificate (`localhost`, `127.0.0.1` and `host` are in it). */
  names?: string[];
  /** Folder for repositories and memory that outlives the process; a temporary one, removed at the end, unless given. */
  stateDir?: string;
  clock?: Clock;
  /** How long a webhook receiver may take: 10,000 ms unless said otherwise. */
  deliveryTimeoutMs?: number;
  /** `status_code` of deliveries that nobody answered: 502 unless said otherwise (0 is what a failure filter misses). */
  unreachableStatusCode?: number;
  /** PEM certificate trusted for webhook receivers, beside the system's. */
  webhookCa?: string;
}
