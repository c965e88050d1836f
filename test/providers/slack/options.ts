import type { Clock } from "../../../src/shared/clock.ts";
import type { ServerTls } from "../github/tls.ts";

/** Options of a stand-in. All have a default that suits tests. */
export interface SlackOptions {
  /** Address to listen on; loopback by default. */
  host?: string;
  /** Port to listen on; 0 (any free one) by default. */
  port?: number;
  /** Address for links in answers, without trailing slash; by default from `host` and the port. */
  publicUrl?: string;
  /** Serve plain HTTP instead of HTTPS. */
  plainHttp?: boolean;
  /** Key, certificate and authority; created at start by default. */
  tls?: ServerTls;
  /** Further names and addresses of the created certificate, beside `localhost`, `127.0.0.1` and `host`. */
  names?: string[];
  /** Times of messages, signatures, retries and time-outs come from this clock. */
  clock?: Clock;
  /** Time-out of an app's answer; 3,000 ms by default, as Slack's. */
  deliveryTimeoutMs?: number;
  /** PEM certificate to trust for request URLs, in addition to the system's. */
  webhookCa?: string;
}
