import { randomBytes } from "node:crypto";
import type { KeyRing } from "./keys.ts";
import type { Sockets, SocketsDeps } from "./sockets/index.ts";
import { httpConfig } from "../integrations/http/settings.ts";
import type { GatewayConfig } from "./config.ts";

/** Dependencies of `followSockets`: of the connections, what the gateway has without them. */
export interface FollowDeps extends Omit<SocketsDeps, "http" | "lease"> {
  config: GatewayConfig;
  keyRing: Pick<KeyRing, "sockets">;
  lease: Pick<SocketsDeps["lease"], "client" | "metrics">;
}

/** Follows the published connections. */
export interface SocketFollower {
  /** Called when everything that a delivery needs is loaded; connects to nothing before. */
  start(): void;
  /** Called when the keys have changed. */
  update(): void;
  stop(): Promise<void>;
}

/** A file that could not be read, such as that of the certificate authorities, may be complete a moment later. */
const retryMs = 10_000;

/** Loads the code for connections only when the first one is published: most gateways need none, and save its memory. */
export function followSockets(deps: FollowDeps): SocketFollower {
  let started = false;
  let loading: Promise<Loaded> | undefined;
  const update = (): void => {
    if (!started || (!loading && deps.keyRing.sockets.size === 0)) return;
    loading ??= load(deps);
    loading.then(
      ({ sockets }) => sockets.follow(deps.keyRing.sockets),
      (error: unknown) => {
        loading = undefined;
        deps.log.error({ error }, "could not prepare the connections to providers, will retry");
        deps.clock.after(retryMs, update);
      },
    );
  };
  return {
    start() {
      started = true;
      update();
    },
    update,
    async stop() {
      started = false;
      const loaded = await loading?.catch(() => undefined); // it is logged already
      await loaded?.sockets.stop();
      await loaded?.close();
    },
  };
}

interface Loaded {
  sockets: Sockets;
  close(): Promise<void>;
}

async function load({ config, lease, ...deps }: FollowDeps): Promise<Loaded> {
  const [{ createSockets }, { createHttp }] = await Promise.all([
    import("./sockets/index.ts"),
    import("../integrations/http.ts"),
  ]);
  const http = createHttp({ ...httpConfig(config), clock: deps.clock, log: deps.log });
  const identity = `${config.POD_NAME}_${randomBytes(4).toString("hex")}`;
  const sockets = createSockets({ ...deps, http, lease: { ...lease, namespace: config.BELLHOP_NAMESPACE, identity } });
  return { sockets, close: () => http.close() };
}
