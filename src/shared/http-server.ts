import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "./clock.ts";
import { defined } from "./defined.ts";

/** Where a server listens. `port` 0 selects a free one; without `host` it listens on all addresses. */
export interface ListenOptions {
  port: number;
  host?: string | undefined;
}

/** Starts to listen; rejects if the address is not available. */
export function listen(server: Server, { port, host }: ListenOptions): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, ...defined({ host }) }, () => {
      server.off("error", reject);
      resolve({ port: (server.address() as AddressInfo).port });
    });
  });
}

/** Stops accepting, and resolves when the open requests are answered, or after `maxFinishMs`, which closes the rest. */
export function closeGracefully(server: Server, clock: Clock, maxFinishMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(maxFinishMs, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}
