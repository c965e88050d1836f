import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createKubeClient } from "./client.ts";
import { configMaps } from "./resources.ts";

const x = { namespace: "default", name: "x" };

describe("a call", () => {
  // The connection itself is given up after 10 s.
  it("ends with its caller's patience where the connection never comes about", { timeout: 5_000 }, async () => {
    const abort = new AbortController();
    const port = await listen(createServer(() => abort.abort(new Error("no longer needed"))));
    const client = createKubeClient({ server: `https://127.0.0.1:${port}`, tls: {}, namespace: "default" });
    onTestFinished(() => client.close());
    await expect(client.get(configMaps, x, abort.signal)).rejects.toThrow("no longer needed");
    await expect(client.get(configMaps, x, abort.signal)).rejects.toThrow("no longer needed");
  });
});

/** Listens on loopback until the test has ended; answers the port. */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => undefined)));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
