import { afterEach, describe, expect, it } from "vitest";
import { FakeClock } from "../shared/fake-clock.ts";
import { aSandbox, closeSandboxes } from "./testing.ts";

afterEach(closeSandboxes);

describe("the courier's session", () => {
  it.each([
    { name: "whose clock is the same", aheadMinutes: 0, renewedAfter: 30 },
    { name: "whose clock is behind", aheadMinutes: -180, renewedAfter: 1 },
    { name: "whose clock is half an hour ahead", aheadMinutes: 30, renewedAfter: 45 },
  ])("is renewed before it expires, with a broker $name", async ({ aheadMinutes, renewedAfter }) => {
    const clock = new FakeClock();
    const { broker, testBroker } = await aSandbox({ clock });
    testBroker.now = () => new Date(clock.now().getTime() + aheadMinutes * 60_000);
    await broker.task();
    await clock.advance(renewedAfter * 60_000 - 1);
    await broker.task();
    expect(testBroker.sessions).toBe(1);
    await clock.advance(1);
    await broker.task();
    expect(testBroker.sessions).toBe(2);
  });
});
