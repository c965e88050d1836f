import { createServer, type Server } from "node:http";
import { request } from "node:https";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AgentTaskKind } from "../api/kinds.ts";
import { secrets } from "../kube/resources.ts";
import { createFakeClient } from "../kube/testing.ts";
import { FakeClock } from "../shared/fake-clock.ts";
import { aBroker, aRunningTask, capability, credentials, type BrokerAnswer, type RunningBroker } from "./testing.ts";
import { createFetchBounds, wholeBody } from "./fetch.ts";

const firstBytes = "0011command=ls-r";
const route = "/git/7001/git-upload-pack";
let broker: RunningBroker;
let host: Server;
let clock: FakeClock;
/** The complete request bodies that the code host received. */
let received: string[];

beforeEach(async () => {
  received = [];
  host = createServer((asked, answer) => {
    const chunks: Buffer[] = [];
    asked.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      // Like a load balancer that gives up on an incomplete body.
      if (chunk.toString().startsWith(firstBytes)) asked.socket.destroy();
    });
    asked.on("end", () => {
      received.push(Buffer.concat(chunks).toString());
      answer.end();
    });
  });
  await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
  const cloneURL = `http://127.0.0.1:${(host.address() as AddressInfo).port}/acme/shop.git`;
  const client = createFakeClient();
  client.seed(secrets, credentials("uid-shop-abc", { fetch: { username: "x", password: "y", cloneURL } }));
  const repository = { id: "7001", host: "127.0.0.1", owner: "acme", name: "shop" };
  client.seed(AgentTaskKind, aRunningTask({ spec: { repository } }));
  clock = new FakeClock(new Date());
  broker = await aBroker({ client, clock });
});
afterEach(async () => {
  await broker.stop();
  host.close();
});

/** Sends a request of an agent whose body starts and never ends; resolves to the answer. */
function stalled(): Promise<string> {
  const headers = { authorization: `Bearer ${capability({ scope: "agent" })}` };
  return new Promise((resolve, reject) => {
    const sending = request(`${broker.url}${route}`, { method: "POST", ca: readFileSync(broker.caFile), headers });
    sending.once("error", reject);
    sending.once("response", (answer) => {
      answer.once("data", (body: Buffer) => {
        sending.off("error", reject).on("error", () => {});
        sending.destroy();
        const { error } = JSON.parse(body.toString()) as { error: { code: string } };
        resolve(`${answer.statusCode} ${error.code}`);
      });
    });
    sending.write(firstBytes);
  });
}

const fetches = (scope: "agent" | "courier", body: Uint8Array = Buffer.from("0000")): Promise<BrokerAnswer> =>
  broker.call("POST", route, { bearer: capability({ scope }), body });

describe("fetches through the broker", { timeout: 60_000 }, () => {
  it("are forwarded only when complete, so that a stalled agent does not make the code host count as down", async () => {
    const answers: string[] = [];
    const all = Array.from({ length: 6 }, async () => answers.push(await stalled()));
    await expect.poll(() => answers).toEqual(["429 TooManyFetches", "429 TooManyFetches"]);
    const another = await fetches("agent");
    expect(another).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
    // The courier of the same sandbox has its own limit.
    expect(await fetches("courier")).toMatchObject({ status: 200 });
    await clock.advance(30_000);
    await Promise.all(all);
    expect(answers.slice(2)).toEqual(Array.from({ length: 4 }, () => "408 RequestTooSlow"));
    expect(await fetches("agent")).toMatchObject({ status: 200 });
    expect(received).toEqual(["0000", "0000"]);
  });

  it("may have at most 8 MiB", async () => {
    expect(await fetches("agent", Buffer.alloc(8 * 1024 * 1024))).toMatchObject({ status: 200 });
    const large = await fetches("agent", Buffer.alloc(8 * 1024 * 1024 + 1));
    expect(large).toMatchObject({ status: 413, code: "FetchTooLarge" });
    expect(received).toHaveLength(1);
  });

  it("fail as the client's error if it closes the connection early", async () => {
    const body = new PassThrough();
    body.write("0011");
    const reading = wholeBody(body, clock, () => {});
    body.destroy(new Error("aborted"));
    await expect(reading).rejects.toMatchObject({ status: 400, code: "RequestCutOff" });
    expect(clock.pending).toBe(0);
  });
});

describe("createFetchBounds", () => {
  const MiB = 1024 * 1024;
  const sandbox = (podUID: string) => ({ podUID, scope: "agent" as const });

  it("limits all sandboxes together, so that many small requests cannot use up the broker's memory", () => {
    const bounds = createFetchBounds();
    for (let at = 0; at < 16; at++) bounds.enter(sandbox(`pod-${at}`)).hold(8 * MiB);
    const late = bounds.enter(sandbox("late"));
    expect(() => late.hold(1)).toThrow(expect.objectContaining({ status: 429, code: "TooManyFetches" }));
  });

  it("distinguishes one request that is too large from several that are too large together", () => {
    const bounds = createFetchBounds();
    const [one, other] = [bounds.enter(sandbox("pod")), bounds.enter(sandbox("pod"))];
    one.hold(8 * MiB);
    expect(() => other.hold(1)).toThrow(expect.objectContaining({ status: 429 }));
    expect(() => other.hold(8 * MiB)).toThrow(expect.objectContaining({ status: 413, code: "FetchTooLarge" }));
    one.leave();
    expect(() => bounds.enter(sandbox("pod")).hold(8 * MiB)).not.toThrow();
  });
});
