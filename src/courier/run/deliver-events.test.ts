import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EventBatch } from "../../sandbox/protocol/channel.ts";
import { BellhopError } from "../../shared/errors.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { deliverEvents, type EventDelivery } from "./deliver-events.ts";
import type { FollowedEvent } from "./follow-events.ts";
import { openState } from "./state.ts";

let folder = "";
let clock = new FakeClock();
let batches: EventBatch[] = [];
let away = false;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "bellhop-delivery-"));
  clock = new FakeClock();
  batches = [];
  away = false;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function delivery(): EventDelivery {
  const events = (batch: EventBatch): Promise<void> => {
    if (away) return Promise.reject(new BellhopError("BrokerUnreachable", "away", { retryable: true }));
    batches.push(batch);
    return Promise.resolve();
  };
  return deliverEvents({ clock, log: silentLogger, broker: { events }, state: openState(folder) });
}

const event = (number: number, sizeBytes = 10): FollowedEvent => ({
  event: { type: "message", text: String(number) },
  endBytes: (number + 1) * 10,
  sizeBytes,
});

async function tickFor(delivery: EventDelivery, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    delivery.tick();
    await clock.advance(250);
  }
}

describe("the delivery of events", () => {
  it("waits 5 s for more events, then sends all in one batch", async () => {
    const it = delivery();
    it.add([event(0)]);
    await tickFor(it, 4500);
    it.add([event(1)]);
    expect(batches).toEqual([]);
    await tickFor(it, 1000);
    expect(batches).toEqual([{ sequence: 0, events: [event(0).event, event(1).event] }]);
  });

  it("sends a batch as soon as it has 1 MB, and no larger one", async () => {
    const it = delivery();
    it.add([event(0, 700_000), event(1, 700_000)]);
    await tickFor(it, 250);
    expect(batches.map(({ events }) => events.length)).toEqual([1]);
  });

  it("keeps events while the broker is unavailable, and numbers them by the accepted ones", async () => {
    const it = delivery();
    it.add([event(0)]);
    away = true;
    await tickFor(it, 20_000);
    expect(batches).toEqual([]);
    away = false;
    it.add([event(1)]);
    await tickFor(it, 60_000);
    it.add([event(2)]);
    await it.flush(1000);
    expect(batches.map(({ sequence, events }) => [sequence, events.length])).toEqual([
      [0, 2],
      [2, 1],
    ]);
    expect(openState(folder).state).toEqual({ ackedBytes: 30, sequence: 3 });
  });

  it("drops the last events when its time is up", async () => {
    const it = delivery();
    away = true;
    it.add([event(0)]);
    const flushed = it.flush(5000);
    await clock.advance(60_000);
    await flushed;
    expect(batches).toEqual([]);
  });
});
