import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { inFiles } from "../../sandbox/protocol/layout.ts";
import { systemClock } from "../../shared/clock.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { aSandbox, closeSandboxes, type TestSandbox } from "../testing.ts";
import { checkout } from "./index.ts";

afterEach(closeSandboxes);

const probe = { name: "API server", host: "192.0.2.1", port: 6443 };

const aPod = (): Promise<TestSandbox> =>
  aSandbox({
    base: "echo a >file",
    change: (spec) => ({ ...spec, egress: { probes: [probe], notProbed: [], acceptOwnNode: false } }),
  });

/** Paths of the agent's volumes. */
const agentFiles = ({ places }: TestSandbox): string[] => [
  ...readdirSync(places.workspace),
  ...[inFiles.entry, inFiles.prompt, inFiles.context].filter((name) => existsSync(path.join(places.in, name))),
];

describe("the checkout of a pod", { timeout: 60_000 }, () => {
  it("writes no input for the agent if egress is open", async () => {
    const sandbox = await aPod();
    const clock = new FakeClock();
    const done = checkout({ ...sandbox.places, isolation: "pod" }, sandbox.spec, {
      clock,
      log: silentLogger,
      broker: sandbox.broker,
      answers: () => Promise.resolve(true),
    });
    const refused = done.catch((error: unknown) => error);
    // The probe is repeated for 10 s; the clock is advanced until then.
    await expect.poll(() => clock.pending).toBe(1);
    await clock.advance(11_000);
    expect(await refused).toMatchObject({ code: "EgressNotEnforced" });
    expect(agentFiles(sandbox)).toEqual([]);
  });

  it("probes egress only after the broker has answered, because a pod reaches nothing before its network is ready", async () => {
    const sandbox = await aPod();
    const heard: string[] = [];
    const broker = {
      ...sandbox.broker,
      open: () => {
        heard.push("broker");
        return sandbox.broker.open();
      },
    };
    const answers = (): Promise<boolean> => {
      heard.push("probe");
      return Promise.resolve(false);
    };
    const deps = { clock: systemClock, log: silentLogger, broker, answers };
    await checkout({ ...sandbox.places, isolation: "pod" }, sandbox.spec, deps);
    expect(heard).toEqual(["broker", "probe"]);
    expect(agentFiles(sandbox)).toContain("file");
  });
});
