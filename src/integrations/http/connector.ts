import { lookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { createSecureContext } from "node:tls";
import { buildConnector } from "undici";
import { BellhopError } from "../../shared/errors.ts";
import type { AddressPolicy } from "./addresses.ts";

/** Resolves a host name to all its addresses. */
export type Resolve = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses?: LookupAddress[]) => void,
) => void;

/** Rules and settings for new connections. */
export interface ConnectorOptions {
  policy: AddressPolicy;
  /** Hosts (lower case, without port) that may be private or plain HTTP, because the installation lists them. */
  allowedHosts: ReadonlySet<string>;
  ca: string[] | undefined;
  timeoutMs: number;
  resolve?: Resolve;
}

/**
 * Creates a connector that checks the resolved address and then connects to exactly that address, so a host name that
 * resolves differently the second time (DNS rebinding) does not help an attacker. Every redirect goes through it too.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const common = tls(options);
  const plain = buildConnector(common);
  const guarded = buildConnector({ ...common, lookup: guardedLookup(options) });
  return (target, callback) => {
    const host = bareHost(target.hostname);
    if (options.allowedHosts.has(host)) return plain(target, callback);
    const refusal = isIP(host) ? options.policy(host) : undefined;
    if (refusal) return callback(refused(host, host, refusal), null);
    return guarded(target, callback);
  };
}

/** The host name in lower case, without brackets and trailing dot. */
export function bareHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
}

/** The error for a host that must not be called. */
export function refused(host: string, address: string, why: string): BellhopError {
  const where = host === address ? host : `${host} (${address})`;
  return new BellhopError(
    "AddressRefused",
    `${where} ${why}, so Bellhop does not call it. If this is intended, list the host in the chart's allowedPrivateHosts`,
  );
}

/** One secure context for all connections: parsing the authorities takes 20 ms, and would otherwise be done for each connection. */
function tls({ timeoutMs, ca }: ConnectorOptions): buildConnector.BuildOptions {
  return { timeout: timeoutMs, allowH2: false, ...(ca ? { secureContext: createSecureContext({ ca }) } : {}) };
}

function guardedLookup({ policy, resolve: resolveWith }: ConnectorOptions): LookupFunction {
  const resolveName = resolveWith ?? systemResolve;
  return (hostname, wanted, callback) => {
    resolveName(hostname, (error, addresses = []) => {
      const [first] = addresses;
      const problem = error ?? firstRefusal(hostname, addresses, policy);
      if (problem || !first) callback(problem ?? noAddress(hostname), []);
      else if (wanted.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** One private address among public ones is enough to refuse, because we do not control which of them is called. */
function firstRefusal(hostname: string, addresses: LookupAddress[], policy: AddressPolicy): Error | undefined {
  for (const { address } of addresses) {
    const why = policy(address);
    if (why) return refused(hostname, address, why);
  }
  return undefined;
}

function noAddress(hostname: string): BellhopError {
  return new BellhopError("Unavailable", `${hostname} has no address`, { retryable: true });
}

const systemResolve: Resolve = (hostname, done) => lookup(hostname, { all: true, order: "verbatim" }, done);
