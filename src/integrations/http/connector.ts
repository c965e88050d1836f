import { lookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { buildConnector } from "undici";
import { BellhopError } from "../../shared/errors.ts";
import type { AddressPolicy } from "./addresses.ts";

/** Resolves a name to all its addresses. */
export type Resolve = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses?: LookupAddress[]) => void,
) => void;

/** What a connection may go to. */
export interface ConnectorOptions {
  policy: AddressPolicy;
  /** Hosts (lower case, no port) that may be private or plain HTTP: the installation listed them. */
  allowedHosts: ReadonlySet<string>;
  ca: string[] | undefined;
  timeoutMs: number;
  resolve?: Resolve;
}

/**
 * A connector that judges the address it is about to call, after resolution, and calls exactly that address:
 * a name that answers differently the second time gains nothing. Every redirect hop passes it too.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const plain = buildConnector(tls(options));
  const guarded = buildConnector({ ...tls(options), lookup: guardedLookup(options) });
  return (target, callback) => {
    const host = bareHost(target.hostname);
    if (options.allowedHosts.has(host)) return plain(target, callback);
    const refusal = isIP(host) ? options.policy(host) : undefined;
    if (refusal) return callback(refused(host, host, refusal), null);
    return guarded(target, callback);
  };
}

/** A host without brackets, trailing dot or capitals. */
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
    `${where} ${why}, so it is not called. If it is meant, list the host among the installation's allowed hosts`,
  );
}

function tls(options: ConnectorOptions): buildConnector.BuildOptions {
  return { timeout: options.timeoutMs, allowH2: false, ...(options.ca ? { ca: options.ca } : {}) };
}

function guardedLookup({ policy, resolve: resolveWith }: ConnectorOptions): LookupFunction {
  const resolveName = resolveWith ?? systemResolve;
  return (hostname, wanted, callback) => {
    resolveName(hostname, (error, addresses = []) => {
      const [first] = addresses;
      const problem = error ?? firstRefusal(hostname, addresses, policy);
      if (problem || !first) callback(problem ?? nowhere(hostname), []);
      else if (wanted.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** One private address among public ones is enough: which of them is called is not ours to choose. */
function firstRefusal(hostname: string, addresses: LookupAddress[], policy: AddressPolicy): Error | undefined {
  for (const { address } of addresses) {
    const why = policy(address);
    if (why) return refused(hostname, address, why);
  }
  return undefined;
}

function nowhere(hostname: string): BellhopError {
  return new BellhopError("Unavailable", `${hostname} has no address`, { retryable: true });
}

const systemResolve: Resolve = (hostname, done) => lookup(hostname, { all: true, order: "verbatim" }, done);
