import type { Clock } from "../../../src/shared/clock.ts";
import type { ServerTls } from "./tls.ts";

/** Options that every stand-in has. All have a default that suits tests. */
export interface StandInOptions {
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
  /** All times come from this clock: of objects, signatures, retries and time-outs. */
  clock?: Clock;
  /** Time-out of a receiver's answer to a delivery, in milliseconds; the provider's own by default. */
  deliveryTimeoutMs?: number;
  /** PEM certificate to trust for receivers of deliveries, in addition to the system's. */
  webhookCa?: string;
}
