import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * A loopback port that was free a moment ago. It is below the range that the kernel uses for outgoing connections, so that a restarted
 * server finds it free again. Another process can still take it, so callers retry.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
  throw new Error("no free loopback port between 20000 and 32000 in 100 attempts");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
