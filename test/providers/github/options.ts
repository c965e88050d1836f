import type { Clock } from "../../../src/shared/clock.ts";
import type { ServerTls } from "./tls.ts";

/** Options of a stand-in. All have a default that suits tests. */
export interface GitHubOptions {
  /** Address to listen on; loopback by default. */
  host?: string;
  /** Port to listen on; 0 (any free one) by default. */
  port?: number;
  /** Web address for links in answers, without trailing slash; by default from `host` and the port. */
  publicUrl?: string;
  /** Serve plain HTTP instead of HTTPS. */
  plainHttp?: boolean;
  /** Key, certificate and authority; created at start by default. */
  tls?: ServerTls;
  /** Further names and addresses of the created certificate, beside `localhost`, `127.0.0.1` and `host`. */
  names?: string[];
  /** Folder that keeps repositories and state after the process ends; by default a temporary folder that is removed at the end. */
  stateDir?: string;
  clock?: Clock;
  /** Time-out of a webhook receiver; 10,000 ms by default. */
  deliveryTimeoutMs?: number;
  /** `status_code` of deliveries without an answer; 502 by default. With 0, a filter by failure misses the delivery. */
  unreachableStatusCode?: number;
  /** PEM certificate to trust for webhook receivers, in addition to the system's. */
  webhookCa?: string;
}
