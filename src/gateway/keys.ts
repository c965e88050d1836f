import {
  decodeGatewayKeys,
  noKeys,
  type GatewayKeys,
  type RouteEntry,
  type SocketEntry,
} from "../intake/gateway-keys.ts";
import { secrets } from "../kube/resources.ts";
import type { Informer, KubeClient, KubeObject } from "../kube/types.ts";
import type { Clock } from "../shared/clock.ts";
import { describeError } from "../shared/errors.ts";
import type { Logger } from "../shared/log.ts";
import { secretRegistry } from "../shared/redact.ts";

const rereadEveryMs = 1_000;
const rereadTimeoutMs = 2_000;

/** The part of a Secret that holds the keys. */
export interface KeysSecret extends KubeObject {
  data?: Record<string, string>;
}

/** Dependencies of `KeyRing`. */
export interface KeyRingDeps {
  client: Pick<KubeClient, "find">;
  informer: Pick<Informer<KeysSecret>, "onChange">;
  secret: { namespace: string; name: string };
  clock: Clock;
  log: Logger;
  /** Called whenever different keys are loaded. */
  loaded?: (generation: number) => void;
}

/** The hooks that the gateway serves and the keys that verify their deliveries. Watches the one Secret that holds both. */
export class KeyRing {
  readonly #deps: KeyRingDeps;
  #keys: GatewayKeys = noKeys;
  #loaded: KeysSecret["metadata"] | undefined;
  #lastRereadMs = Number.NEGATIVE_INFINITY;
  #rereading: Promise<void> | undefined;

  constructor(deps: KeyRingDeps) {
    this.#deps = deps;
    deps.informer.onChange(({ current }) => this.#load(current));
  }

  /** The generation of the loaded keys. */
  get generation(): number {
    return this.#keys.generation;
  }

  /** The connections to hold, by uid of the integration. */
  get sockets(): ReadonlyMap<string, SocketEntry> {
    return this.#keys.sockets;
  }

  lookup(route: string): RouteEntry | undefined {
    return this.#keys.routes.get(route);
  }

  /**
   * Reads the Secret again, at most once a second over all callers: a new hook may be used before the watch delivers its key.
   * Resolves to false if the last read was less than a second ago. Never rejects: if the read fails, the loaded keys stay in use.
   */
  async reread(): Promise<boolean> {
    if (this.#rereading) return this.#rereading.then(() => true);
    const nowMs = this.#deps.clock.now().getTime();
    if (nowMs - this.#lastRereadMs < rereadEveryMs) return false;
    this.#lastRereadMs = nowMs;
    this.#rereading = this.#read().finally(() => (this.#rereading = undefined));
    await this.#rereading;
    return true;
  }

  async #read(): Promise<void> {
    const { client, secret, log } = this.#deps;
    try {
      const found = await client.find<KeysSecret>(secrets, secret, AbortSignal.timeout(rereadTimeoutMs));
      if (found) this.#load(found);
    } catch (error) {
      log.warn({ error: describeError(error) }, "could not read the keys again; the loaded keys stay in use");
    }
  }

  /** Loads the keys. If the Secret was deleted, no hook is served. */
  #load(secret: KeysSecret | undefined): void {
    const { keys, problems } = decodeGatewayKeys(secret?.data ?? {});
    if (this.#isKnown(secret, keys)) return;
    this.#loaded = secret?.metadata;
    this.#keys = keys;
    const tokens = [...keys.sockets.values()].map(({ token }) => token);
    for (const key of [...[...keys.routes.values()].flatMap((entry) => entry.keys), ...tokens])
      secretRegistry.add(Buffer.from(key, "base64"));
    const { log, loaded } = this.#deps;
    if (problems.length > 0)
      log.error({ problems }, "some hooks are not served, because their entries cannot be decoded");
    log.info({ generation: keys.generation, hooks: keys.routes.size, connections: keys.sockets.size }, "keys loaded");
    loaded?.(keys.generation);
  }

  /** Whether the Secret is not newer than the loaded keys. The watch may deliver late: the same version, or an older generation of the same Secret. */
  #isKnown(secret: KeysSecret | undefined, { generation }: GatewayKeys): boolean {
    if (!secret || !this.#loaded || secret.metadata.uid !== this.#loaded.uid) return false;
    return secret.metadata.resourceVersion === this.#loaded.resourceVersion || generation < this.#keys.generation;
  }
}
