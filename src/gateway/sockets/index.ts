import { isDeepStrictEqual } from "node:util";
import type { SocketEntry } from "../../intake/gateway-keys.ts";
import { encodeSocketStates, socketLeaseName, socketStatesAnnotation } from "../../intake/socket-states.ts";
import type { LeaderOptions } from "../../kube/leader.ts";
import { keepConnected, type Connection, type ConnectionDeps } from "./connection.ts";
import { holdLease } from "./hold-lease.ts";
import { receive, type ReceiveDeps } from "./receive.ts";

/** Dependencies of `createSockets`. */
export interface SocketsDeps extends ReceiveDeps, Pick<ConnectionDeps, "http" | "clock" | "metrics"> {
  metrics: ReceiveDeps["metrics"] & ConnectionDeps["metrics"];
  /** The Lease's namespace, and who competes for it. */
  lease: Pick<LeaderOptions, "client" | "namespace" | "identity" | "timing"> & Partial<Pick<LeaderOptions, "metrics">>;
}

/** The connections to providers, for integrations without a webhook. Of all gateways, the one that holds the Lease has them. */
export interface Sockets {
  /** Sets the connections to hold. Without any, this gateway does not compete for the Lease. */
  follow(entries: ReadonlyMap<string, SocketEntry>): void;
  /** Finishes the open envelopes, closes, and releases the Lease. */
  stop(): Promise<void>;
}

/** Creates the connections; it does nothing before `follow`. */
export function createSockets(deps: SocketsDeps): Sockets {
  return new LeasedSockets(deps);
}

class LeasedSockets implements Sockets {
  readonly #deps: SocketsDeps;
  readonly #connections = new Map<string, { entry: SocketEntry; connection: Connection }>();
  #wanted: ReadonlyMap<string, SocketEntry> = new Map();
  #holds = false;
  #stopped = false;
  #competing: { end: AbortController; done: Promise<void> } | undefined;

  constructor(deps: SocketsDeps) {
    this.#deps = deps;
  }

  follow(entries: ReadonlyMap<string, SocketEntry>): void {
    this.#wanted = entries;
    this.#update();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#update();
    await this.#competing?.done;
  }

  #update(): void {
    const needed = this.#wanted.size > 0 && !this.#stopped;
    if (needed && !this.#competing) this.#compete();
    if (!needed) this.#competing?.end.abort(new Error("no connection is needed"));
    if (needed && this.#holds) this.#connect();
  }

  #compete(): void {
    const end = new AbortController();
    const { lease, clock, log } = this.#deps;
    const options = {
      ...lease,
      name: socketLeaseName,
      clock,
      log,
      annotations: () => ({ [socketStatesAnnotation]: encodeSocketStates(this.#states()) }),
    };
    const holder = {
      begin: () => this.#begin(),
      end: () => this.#end(),
      lost: () => this.#lost(),
    };
    const done = holdLease(options, holder, end.signal).then(
      () => this.#ended(),
      (error: unknown) => log.error({ error }, "could not compete for the Lease of the connections"),
    );
    this.#competing = { end, done };
  }

  /** Connections may be wanted again since the end began. */
  #ended(): void {
    this.#competing = undefined;
    this.#update();
  }

  #states() {
    return new Map([...this.#connections].map(([uid, { connection }]) => [uid, connection.state]));
  }

  #begin(): void {
    this.#holds = true;
    this.#connect();
  }

  async #end(): Promise<void> {
    this.#holds = false;
    const all = [...this.#connections.values()];
    await Promise.all(all.map(({ connection }) => connection.stop()));
    this.#connections.clear();
  }

  #lost(): void {
    this.#holds = false;
    for (const { connection } of this.#connections.values()) connection.destroy();
    this.#connections.clear();
  }

  /** Opens and closes connections, until they are as wanted. One whose token changed is opened again. */
  #connect(): void {
    for (const [uid, { entry, connection }] of this.#connections) {
      if (isDeepStrictEqual(this.#wanted.get(uid), entry)) continue;
      this.#connections.delete(uid);
      void connection.stop();
    }
    for (const [uid, entry] of this.#wanted) {
      const connection = this.#connections.has(uid) ? undefined : this.#open(entry);
      if (connection) this.#connections.set(uid, { entry, connection });
    }
  }

  #open(entry: SocketEntry): Connection | undefined {
    const { http, clock, log, metrics, intake } = this.#deps;
    const provider = intake.provider(entry.provider);
    const ingress = provider?.ingress.socket;
    if (!provider || !ingress) {
      log.error(
        { provider: entry.provider },
        "this gateway cannot hold a connection to the provider: it is older than the operator",
      );
      return undefined;
    }
    const deps: ConnectionDeps = {
      http,
      clock,
      log,
      metrics,
      receive: (frame, bytes) => receive(this.#deps, { entry, provider }, frame, bytes),
    };
    return keepConnected(deps, { entry, provider, ingress });
  }
}
