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
import { createFetchBounds } from "./fetch-bounds.ts";
import { wholeBody } from "./whole-body.ts";

const begun = "0011command=ls-r";
const route = "/git/7001/git-upload-pack";
let broker: RunningBroker;
let host: Server;
let clock: FakeClock;
/** What the host was sent, whole. */
let heard: string[];

beforeEach(async () => {
  heard = [];
  host = createServer((asked, answer) => {
    const chunks: Buffer[] = [];
    asked.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      // As a load balancer that gives a body up which does not come.
      if (chunk.toString().startsWith(begun)) asked.socket.destroy();
    });
    asked.on("end", () => {
      heard.push(Buffer.concat(chunks).toString());
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

/** An agent's request whose body begins and never ends; resolves with its answer. */
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
    sending.write(begun);
  });
}

const fetches = (scope: "agent" | "courier", body: Uint8Array = Buffer.from("0000")): Promise<BrokerAnswer> =>
  broker.call("POST", route, { bearer: capability({ scope }), body });

describe("fetches through the broker", { timeout: 60_000 }, () => {
  it("are whole before the host hears of them: an agent that stalls does not have the host taken for down", async () => {
    const answers: string[] = [];
    const all = Array.from({ length: 6 }, async () => answers.push(await stalled()));
    await expect.poll(() => answers).toEqual(["429 TooManyFetches", "429 TooManyFetches"]);
    const another = await fetches("agent");
    expect(another).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
    // The courier beside it has a share of its own.
    expect(await fetches("courier")).toMatchObject({ status: 200 });
    await clock.advance(30_000);
    await Promise.all(all);
    expect(answers.slice(2)).toEqual(Array.from({ length: 4 }, () => "408 RequestTooSlow"));
    expect(await fetches("agent")).toMatchObject({ status: 200 });
    expect(heard).toEqual(["0000", "0000"]);
  });

  it("ask for 8 MiB at most", async () => {
    expect(await fetches("agent", Buffer.alloc(8 * 1024 * 1024))).toMatchObject({ status: 200 });
    const large = await fetches("agent", Buffer.alloc(8 * 1024 * 1024 + 1));
    expect(large).toMatchObject({ status: 413, code: "FetchTooLarge" });
    expect(heard).toHaveLength(1);
  });

  it("are the client's own failure where it hangs up half-way", async () => {
    const body = new PassThrough();
    body.write("0011");
    const reading = wholeBody(body, clock, () => {});
    body.destroy(new Error("aborted"));
    await expect(reading).rejects.toMatchObject({ status: 400, code: "RequestCutOff" });
    expect(clock.pending).toBe(0);
  });
});

describe("the bounds of fetches", () => {
  const MiB = 1024 * 1024;
  const sandbox = (podUID: string) => ({ podUID, scope: "agent" as const });

  it("hold for all sandboxes together, so that many small ones do not take the broker's memory", () => {
    const bounds = createFetchBounds();
    for (let at = 0; at < 16; at++) bounds.enter(sandbox(`pod-${at}`)).hold(8 * MiB);
    const late = bounds.enter(sandbox("late"));
    expect(() => late.hold(1)).toThrow(expect.objectContaining({ status: 429, code: "TooManyFetches" }));
  });

  it("tell one request that is too large from several that are", () => {
    const bounds = createFetchBounds();
    const [one, other] = [bounds.enter(sandbox("pod")), bounds.enter(sandbox("pod"))];
    one.hold(8 * MiB);
    expect(() => other.hold(1)).toThrow(expect.objectContaining({ status: 429 }));
    expect(() => other.hold(8 * MiB)).toThrow(expect.objectContaining({ status: 413, code: "FetchTooLarge" }));
    one.leave();
    expect(() => bounds.enter(sandbox("pod")).hold(8 * MiB)).not.toThrow();
  });
});
