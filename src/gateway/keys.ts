import { decodeGatewayKeys, noKeys, type GatewayKeys, type RouteEntry } from "../intake/gateway-keys.ts";
import { secrets } from "../kube/resources.ts";
import type { Informer, KubeClient, KubeObject } from "../kube/types.ts";
import type { Clock } from "../shared/clock.ts";
import { describeError } from "../shared/errors.ts";
import type { Logger } from "../shared/log.ts";
import { secretRegistry } from "../shared/redact.ts";

const rereadEveryMs = 1_000;
const rereadTimeoutMs = 2_000;

/** A Secret, as far as keys go. */
export interface KeysSecret extends KubeObject {
  data?: Record<string, string>;
}

/** What the keys come from. */
export interface KeyRingDeps {
  client: Pick<KubeClient, "find">;
  informer: Pick<Informer<KeysSecret>, "onChange">;
  secret: { namespace: string; name: string };
  clock: Clock;
  log: Logger;
  /** Told whenever other keys are loaded. */
  loaded?: (generation: number) => void;
}

/** The hooks we serve and the keys their deliveries are signed with; follows the one Secret. */
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

  /** The generation that is loaded. */
  get generation(): number {
    return this.#keys.generation;
  }

  lookup(route: string): RouteEntry | undefined {
    return this.#keys.routes.get(route);
  }

  /**
   * Reads the Secret again, at most once a second whoever asks: a new hook may be used before the watch has told of it.
   * Resolves false where it is too early for that. Never rejects: without an answer we go on with what we have.
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
      log.warn({ error: describeError(error) }, "could not read the keys again, going on with those that are loaded");
    }
  }

  /** A Secret that is gone keeps no hook open. */
  #load(secret: KeysSecret | undefined): void {
    const { keys, problems } = decodeGatewayKeys(secret?.data ?? {});
    if (this.#isKnown(secret, keys)) return;
    this.#loaded = secret?.metadata;
    this.#keys = keys;
    for (const entry of keys.routes.values())
      for (const key of entry.keys) secretRegistry.add(Buffer.from(key, "base64"));
    const { log, loaded } = this.#deps;
    if (problems.length > 0) log.error({ problems }, "some hooks cannot be served: their entries cannot be read");
    log.info({ generation: keys.generation, hooks: keys.routes.size }, "keys loaded");
    loaded?.(keys.generation);
  }

  /** The watch may tell late what a read has told already: the same version, or an older generation of the same Secret. */
  #isKnown(secret: KeysSecret | undefined, { generation }: GatewayKeys): boolean {
    if (!secret || !this.#loaded || secret.metadata.uid !== this.#loaded.uid) return false;
    return secret.metadata.resourceVersion === this.#loaded.resourceVersion || generation < this.#keys.generation;
  }
}
