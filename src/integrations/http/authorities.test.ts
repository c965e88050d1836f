import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { makeTls, type ServerTls } from "../../../test/providers/stand-in/tls.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { createHttp, type Http } from "../http.ts";

const minuteMs = 60_000;
const folder = mkdtempSync(join(tmpdir(), "bellhop-authorities-"));
const caFile = join(folder, "ca.crt");
const servers: Server[] = [];
const opened: Http[] = [];
let http: Http;
let clock: FakeClock;
let first: ServerTls & { url: string };
let second: ServerTls & { url: string };
let release: (text: string) => void;
let redirect: () => void;
let redirectAsked: PromiseWithResolvers<void>;

async function aServer(answer: RequestListener): Promise<ServerTls & { url: string }> {
  const tls = await makeTls(["127.0.0.1"]);
  const server = createServer(tls, answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { ...tls, url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

beforeAll(async () => {
  first = await aServer(({ url }, response) => {
    if (url === "/held") {
      response.write("begun, ");
      release = (text) => void response.end(text);
    } else if (url === "/moved") {
      redirect = () => void response.writeHead(302, { location: "/" }).end();
      redirectAsked.resolve();
    } else {
      response.end("first");
    }
  });
  second = await aServer((_request, response) => void response.end("second"));
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

afterAll(() => {
  rmSync(folder, { recursive: true });
  for (const server of servers) server.close().closeAllConnections();
});

/** An Http that trusts the authorities in the file. */
function trusting(text: string): void {
  writeFileSync(caFile, text);
  clock = new FakeClock();
  http = createHttp({ clock, log: silentLogger, caFile, allowedHosts: ["127.0.0.1"] });
  opened.push(http);
}

const get = async (url: string): Promise<string> => (await http.fetch(url)).text();

/** A call whose server has not redirected it yet, under way while other authorities take over. */
async function redirectedCall(): Promise<{ call: Promise<string> }> {
  trusting(first.ca);
  redirectAsked = Promise.withResolvers();
  const call = get(`${first.url}/moved`);
  call.catch(() => {});
  await redirectAsked.promise;
  writeFileSync(caFile, second.ca);
  await clock.advance(minuteMs);
  expect(await get(second.url)).toBe("second");
  return { call };
}

describe("the certificate authorities of a file", () => {
  it("are trusted, and no others", async () => {
    trusting(`# a comment\n${first.ca}`);
    expect(await get(first.url)).toBe("first");
    await expect(get(second.url)).rejects.toMatchObject({ code: "Unavailable", message: /certificate/ });
  });

  it("are read again a minute after the last read, and running calls finish", async () => {
    trusting(first.ca);
    const held = await http.fetch(`${first.url}/held`);
    writeFileSync(caFile, second.ca);
    await clock.advance(minuteMs - 1);
    await expect(get(second.url)).rejects.toMatchObject({ message: /certificate/ });
    await clock.advance(1);
    expect(await get(second.url)).toBe("second");
    await expect(get(first.url)).rejects.toMatchObject({ message: /certificate/ });
    release("ended");
    expect(await held.text()).toBe("begun, ended");
  });

  it("let a call under way follow its redirect after they have changed", async () => {
    const { call } = await redirectedCall();
    await clock.advance(2 * minuteMs - 1);
    redirect();
    expect(await call).toBe("first");
  });

  it("are out of use once the longest call under them has ended", async () => {
    const { call } = await redirectedCall();
    await clock.advance(2 * minuteMs);
    redirect();
    await expect(call).rejects.toMatchObject({ message: /closed/ });
  });

  it("are out of use when the way out is closed, those before too", async () => {
    const { call } = await redirectedCall();
    opened.length = 0;
    const closed = http.close();
    redirect();
    await expect(call).rejects.toMatchObject({ message: /closed/ });
    await closed;
    expect(clock.pending).toBe(0);
  });

  it.each([
    ["is empty", () => writeFileSync(caFile, "")],
    [
      "has a broken certificate",
      () => writeFileSync(caFile, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
    ],
    ["is deleted", () => rmSync(caFile)],
  ])("stay as they were if the file %s, until it is valid again", async (_how, change) => {
    trusting(first.ca);
    change();
    await clock.advance(minuteMs);
    expect(await get(first.url)).toBe("first");
    writeFileSync(caFile, first.ca + second.ca);
    await clock.advance(minuteMs);
    expect(await get(second.url)).toBe("second");
  });

  it.each([
    ["no certificate", "hello"],
    ["a broken certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"],
  ])("cause an error that names the file if it contains %s at the start", (_what, text) => {
    expect(() => trusting(text)).toThrow(/certificate authorities in .*ca\.crt/);
  });
});
