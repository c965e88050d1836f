import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { FakeClock } from "../shared/fake-clock.ts";
import { silentLogger } from "../shared/log.ts";
import { createHttp, type Http, type HttpConfig } from "./http.ts";
import { addressPolicy } from "./http/addresses.ts";
import { createBreaker } from "./http/breaker.ts";
import { retryAfterMs } from "./http/retry-after.ts";

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
});

async function aServer(answer: RequestListener): Promise<{ port: number; hits: () => number }> {
  let hits = 0;
  const server = createServer((request, response) => {
    hits += 1;
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { port: (server.address() as AddressInfo).port, hits: () => hits };
}

function anHttp(config: Partial<HttpConfig> = {}): { http: Http; clock: FakeClock } {
  const clock = new FakeClock();
  const http = createHttp({ clock, log: silentLogger, ...config });
  cleanUp.push(() => http.close());
  return { http, clock };
}

describe("addressPolicy", () => {
  it.each([
    "127.0.0.1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:a00:1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "ff02::1",
    "hello",
  ])("refuses address %s", (address) => expect(addressPolicy()(address)).toBeDefined());

  it.each(["140.82.121.4", "1.1.1.1", "2606:50c0:8000::153"])("allows public address %s", (address) =>
    expect(addressPolicy()(address)).toBeUndefined(),
  );

  it("refuses the cluster's own ranges too, and names a text that is not a range", () => {
    expect(addressPolicy(["34.118.224.0/20"])("34.118.225.9")).toMatch(/this installation refuses/);
    expect(() => addressPolicy(["nonsense"])).toThrow(/"nonsense" is not a network/);
  });
});

describe("createHttp", () => {
  it("calls a private host only if the installation lists it", async () => {
    const { port, hits } = await aServer((_request, response) => response.end("hello"));
    const url = `http://127.0.0.1:${port}/`;
    await expect(anHttp().http.fetch(url)).rejects.toMatchObject({ code: "AddressRefused", message: /127\.0\.0\.1/ });
    expect(hits()).toBe(0);
    const { http } = anHttp({ allowedHosts: ["127.0.0.1"] });
    expect(await (await http.fetch(url)).text()).toBe("hello");
  });

  it("refuses a private IP address, with or without TLS", async () => {
    const { http } = anHttp();
    for (const url of [
      "https://127.0.0.1:8443/",
      "https://[::1]:8443/",
      "https://[::ffff:10.0.0.1]:8443/",
      "https://169.254.169.254/",
      "https://2130706433/",
    ]) {
      await expect(http.fetch(url)).rejects.toMatchObject({ code: "AddressRefused" });
    }
  });

  it("refuses a host name with a private address, even among public addresses", async () => {
    const { http } = anHttp({
      resolve: (_name, done) =>
        done(null, [
          { address: "140.82.121.4", family: 4 },
          { address: "10.0.0.7", family: 4 },
        ]),
    });
    await expect(http.fetch("https://sneaky.example/")).rejects.toMatchObject({
      code: "AddressRefused",
      message: expect.stringContaining("sneaky.example (10.0.0.7)") as string,
    });
  });

  it("checks redirects like any other hop", async () => {
    const { port } = await aServer((_request, response) =>
      response.writeHead(302, { location: "https://169.254.169.254/latest" }).end(),
    );
    const { http } = anHttp({ allowedHosts: ["127.0.0.1"] });
    await expect(http.fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({
      code: "AddressRefused",
      message: /169\.254/,
    });
  });

  it("does not call a host during the pause that it asked for, calls it afterwards, and reports once that it is back", async () => {
    const back: string[] = [];
    let status = 503;
    const { port, hits } = await aServer((_request, response) =>
      response.writeHead(status, { "retry-after": "60" }).end(),
    );
    const { http, clock } = anHttp({ allowedHosts: ["127.0.0.1"], onBack: (host) => back.push(host) });
    const url = `http://127.0.0.1:${port}/`;
    expect((await http.fetch(url)).status).toBe(503);
    await expect(http.fetch(url)).rejects.toMatchObject({ code: "Unavailable", retryable: true, retryAfterMs: 60_000 });
    expect(hits()).toBe(1);
    expect(back).toEqual([]);
    status = 200;
    await clock.advance(60_000);
    expect((await http.fetch(url)).status).toBe(200);
    expect((await http.fetch(url)).status).toBe(200);
    expect(back).toEqual([`127.0.0.1:${port}`]);
  });

  it("uses the configured proxy, except for excluded hosts", async () => {
    const asked: string[] = [];
    const proxy = createServer();
    proxy.on("connect", (request, socket) => {
      asked.push(request.url ?? "");
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    cleanUp.push(() => new Promise((resolve) => void proxy.close(() => resolve())));
    const https = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const { http } = anHttp({
      proxy: { https, none: "direct.example" },
      resolve: (_name, done) => done(null, [{ address: "10.0.0.1", family: 4 }]),
    });
    await expect(http.fetch("https://api.github.com/")).rejects.toMatchObject({ code: "Unavailable" });
    await expect(http.fetch("https://169.254.169.254/")).rejects.toMatchObject({ code: "AddressRefused" });
    await expect(http.fetch("https://direct.example/")).rejects.toMatchObject({ code: "AddressRefused" });
    expect(asked).toEqual(["api.github.com:443"]);
  });

  it("rethrows the caller's own abort", async () => {
    const { port } = await aServer(() => {});
    const { http } = anHttp({ allowedHosts: ["127.0.0.1"] });
    const abort = new AbortController();
    const call = http.fetch(`http://127.0.0.1:${port}/`, { signal: abort.signal });
    abort.abort(new Error("stopping"));
    await expect(call).rejects.toThrow("stopping");
  });
});

describe("createBreaker", () => {
  it("opens after failures in a row, allows one trial call, and closes when that succeeds", async () => {
    const clock = new FakeClock();
    const breaker = createBreaker(clock, { failures: 2, openMs: 1000, maxOpenMs: 5000 });
    breaker.failed("h");
    expect(breaker.waitMs("h")).toBe(0);
    breaker.failed("h");
    expect(breaker.waitMs("h")).toBe(1000);
    expect(breaker.waitMs("other")).toBe(0);
    await clock.advance(1000);
    expect(breaker.waitMs("h")).toBe(0);
    expect(breaker.waitMs("h")).toBe(1000);
    breaker.abandoned("h");
    expect(breaker.waitMs("h")).toBe(0);
    breaker.failed("h", 60_000);
    expect(breaker.waitMs("h")).toBe(5000);
    await clock.advance(5000);
    expect(breaker.succeeded("h")).toBe(true);
    expect([breaker.waitMs("h"), breaker.waitMs("h")]).toEqual([0, 0]);
  });
});

describe("retryAfterMs", () => {
  const now = new Date("2026-01-01T00:00:00Z");
  it.each([
    ["30", 30_000],
    ["Thu, 01 Jan 2026 00:01:00 GMT", 60_000],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["soon", undefined],
    [null, undefined],
  ])("reads %j as %j ms", (value, want) => expect(retryAfterMs(value, now)).toBe(want));
});
