import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../../test/cluster/ports.ts";
import { createDecoder, encodeFrame, opcodes } from "../../../test/providers/slack/socket/frames.ts";
import { systemClock } from "../../shared/clock.ts";
import { errorCode } from "../../shared/errors.ts";
import { silentLogger } from "../../shared/log.ts";
import { createHttp, type Http } from "../http.ts";
import { maxMessageBytes, type ProviderSocket } from "./socket.ts";

let server: Server;
/** The server's side of each connection. */
let accepted: Duplex[];
let received: string[];
let http: Http;
let address: string;

beforeEach(async () => {
  accepted = [];
  received = [];
  server = createServer().on("upgrade", (request, stream) => {
    const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const proof = createHash("sha1").update(key).digest("base64");
    const head = ["HTTP/1.1 101 Switching Protocols", "upgrade: websocket", "connection: Upgrade"];
    stream.write(`${[...head, `sec-websocket-accept: ${proof}`].join("\r\n")}\r\n\r\n`);
    const receive = createDecoder(({ opcode, payload }) => {
      if (opcode === opcodes.ping) stream.write(encodeFrame(opcodes.pong, payload));
      if (opcode === opcodes.text) received.push(payload.toString());
    });
    stream.on("data", receive).on("error", () => stream.destroy());
    accepted.push(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/?ticket=secret-ticket`;
  http = createHttp({ clock: systemClock, log: silentLogger, allowedHosts: ["127.0.0.1"] });
});
afterEach(async () => {
  for (const stream of accepted) stream.destroy();
  await http.close();
  await new Promise((resolve) => server.close(resolve));
});

interface Opened {
  socket: ProviderSocket;
  messages: string[];
  pongs: { count: number };
  closed: Promise<Error>;
}

function opened(to = address, by = http): Opened {
  const messages: string[] = [];
  const pongs = { count: 0 };
  const closed = Promise.withResolvers<Error>();
  const socket = by.socket(to, {
    message: (text) => void messages.push(text),
    alive: () => void (pongs.count += 1),
    closed: (error) => closed.resolve(error),
  });
  return { socket, messages, pongs, closed: closed.promise };
}

async function served(): Promise<Duplex> {
  await expect.poll(() => accepted.length).toBe(1);
  const [stream] = accepted;
  if (!stream) throw new Error("no connection");
  return stream;
}

const text = (content: string): Buffer => encodeFrame(opcodes.text, Buffer.from(content));

describe("a socket to a provider", () => {
  it("sends and receives texts, and sees the answers to its pings", async () => {
    const { socket, messages, pongs } = opened();
    (await served()).write(text("hello"));
    await expect.poll(() => messages).toEqual(["hello"]);
    socket.send("hi");
    socket.ping();
    await expect.poll(() => received).toEqual(["hi"]);
    await expect.poll(() => pongs.count).toBe(1);
    socket.destroy();
  });

  it("is closed by a message that is too large, before the message is in memory", async () => {
    const { messages, closed } = opened();
    const stream = await served();
    stream.write(text("x".repeat(maxMessageBytes)));
    await expect.poll(() => messages.length).toBe(1);
    stream.write(text("x".repeat(maxMessageBytes + 1)).subarray(0, 100));
    expect((await closed).message).toMatch(/failed|closed/);
    expect(messages).toHaveLength(1);
  });

  it("ends at once when it is destroyed, also if the other side says nothing", async () => {
    const { socket, closed, messages } = opened();
    const stream = await served();
    stream.write(text("hello"));
    await expect.poll(() => messages).toEqual(["hello"]);
    socket.destroy();
    await closed;
    socket.send("too late");
    socket.ping();
    expect(received).toEqual([]);
  });

  it("is not made to an address that must not be called, and the error says what to do", async () => {
    const strict = createHttp({ clock: systemClock, log: silentLogger });
    const error = await opened(address, strict).closed;
    expect(errorCode(error)).toBe("AddressRefused");
    expect(error.message).not.toContain("secret-ticket");
    const tls = await opened(address.replace("ws:", "wss:"), strict).closed;
    expect(errorCode(tls)).toBe("AddressRefused");
    await strict.close();
  });

  it("says why it was not made, without its address", async () => {
    const error = await opened(`ws://127.0.0.1:${await freePort()}/?ticket=secret-ticket`).closed;
    expect(error.message).toMatch(/the connection failed: .*(ECONNREFUSED|refused)/);
    expect(error.message).not.toContain("secret-ticket");
  });
});
