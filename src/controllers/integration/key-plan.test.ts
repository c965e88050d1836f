import { describe, expect, it } from "vitest";
import { anIntegration, noon } from "../agent-task/testing.ts";
import type { HookSecret } from "./hook-secret.ts";
import { installed, notInstalled } from "./conditions.ts";
import { planKeys, withPending } from "./key-plan.ts";

const hourMs = 3_600_000;
const request = "2026-03-01T11:00:00.000Z";

const stored = (over: Partial<HookSecret> = {}): HookSecret => ({
  route: "r".repeat(40),
  generation: 1,
  current: "first",
  rotatedAt: "2026-02-01T00:00:00Z",
  installed: 1,
  proven: [],
  ...over,
});

function plan(
  given: { stored?: HookSecret; requested?: string; handled?: string; owns?: boolean; install?: string } = {},
  now = noon,
) {
  const integration = anIntegration({
    webhook: { install: given.install ?? "Auto", acceptedKeysRef: { name: "k", key: "k" } },
  });
  if (given.requested) integration.metadata.annotations = { "bellhop.dev/rotate-requested-at": given.requested };
  const facts = { integration, stored: given.stored, owns: given.owns ?? true, lastHandledRotateAt: given.handled };
  return planKeys(facts, 24 * hourMs, now);
}

describe("planKeys", () => {
  it("makes a first key, which carries out whatever was asked for before", () => {
    expect(plan({ requested: request })).toMatchObject({
      write: true,
      handled: request,
      secret: { generation: 1, installed: 0, requestedAt: request },
    });
  });

  it("makes another when a rotation is asked for, and keeps the one in force beside it", () => {
    const { secret, write, handled } = plan({ stored: stored(), requested: request });
    expect({ write, handled }).toEqual({ write: true, handled: request });
    expect(secret).toMatchObject({ generation: 2, installed: 1, previous: "first" });
    expect(secret.current).not.toBe("first");
  });

  it.each([
    { name: "nothing was asked for", given: {} },
    { name: "the request was carried out", given: { requested: request, handled: request } },
    { name: "an older request than the last is left", given: { requested: request, handled: "2026-03-01T11:30:00Z" } },
    { name: "the request is no time", given: { requested: "now, please" } },
    { name: "another integration keeps the hook", given: { requested: request, owns: false } },
    { name: "a person keeps the hook", given: { requested: request, install: "Manual" } },
    {
      name: "the key before has not reached the provider",
      given: { requested: request, stored: stored({ generation: 2 }) },
    },
  ])("leaves the key alone where $name", ({ given }) => {
    expect(plan({ stored: stored(), ...given })).toMatchObject({ write: false });
  });

  it.each([
    { name: "another integration keeps the hook", given: { owns: false }, words: /another integration keeps the hook/ },
    { name: "a person keeps the hook", given: { install: "Manual" }, words: /a person keeps the hook: change/ },
  ])("says why a request is not carried out where $name, and is done with it", ({ given, words }) => {
    expect(plan({ stored: stored(), requested: request, ...given })).toMatchObject({
      handled: request,
      refused: expect.stringMatching(words) as string,
    });
  });

  it("knows a request that it carried out, although that was not noted in the status", () => {
    const done = stored({ generation: 2, requestedAt: request });
    expect(plan({ stored: done, requested: request })).toEqual({ secret: done, write: false, handled: request });
  });

  it("says of a request that the key before it is not everywhere yet, and leaves it open", () => {
    const planned = plan({ requested: request, stored: stored({ generation: 2 }) });
    expect(planned.waits).toMatch(/^begins once every hook/);
    expect(planned.handled).toBeUndefined();
  });

  it("drops the previous key when the retry window has passed since the provider changed over", () => {
    const installedAt = "2026-03-01T00:00:00Z";
    const both = stored({ generation: 2, installed: 2, previous: "zeroth", installedAt });
    const after = (ms: number): Date => new Date(Date.parse(installedAt) + ms);
    expect(plan({ stored: both }, after(23 * hourMs))).toMatchObject({ write: false, secret: { previous: "zeroth" } });
    const dropped = plan({ stored: both }, after(25 * hourMs));
    expect(dropped.write).toBe(true);
    expect(dropped.secret.previous).toBeUndefined();
    const held = stored({ generation: 2, installed: 1, previous: "zeroth", installedAt });
    expect(plan({ stored: held }, after(99 * hourMs)).secret.previous).toBe("zeroth");
  });

  it("drops the previous key in its time too where our hooks were taken away, as counted from the later change", () => {
    const [installedAt, rotatedAt] = ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"];
    const taken = stored({ generation: 2, installed: 0, previous: "zeroth", installedAt, rotatedAt });
    const byHand = { stored: taken, install: "Manual" };
    const after = (ms: number): Date => new Date(Date.parse(rotatedAt) + ms);
    expect(plan(byHand, after(23 * hourMs)).secret.previous).toBe("zeroth");
    expect(plan(byHand, after(25 * hourMs)).secret.previous).toBeUndefined();
    // Whoever installs again signs with it until the hook has the current one.
    expect(plan({ stored: taken }, after(25 * hourMs)).secret.previous).toBe("zeroth");
  });

  it("lets a second rotation wait until nothing comes any more that the key before the last one signed", () => {
    const installedAt = "2026-03-01T11:59:00.000Z";
    const both = stored({ generation: 2, installed: 2, current: "second", previous: "first", installedAt });
    const given = { stored: both, requested: "2026-03-01T11:59:30.000Z", handled: request };
    const end = new Date(Date.parse(installedAt) + 24 * hourMs);
    const waits = expect.stringMatching(/^begins at 2026-03-02T11:59:00\.000Z/) as string;
    expect(plan(given)).toEqual({ secret: both, write: false, waits });
    expect(plan(given, end)).toMatchObject({ write: false, waits });
    const due = plan(given, new Date(end.getTime() + 1));
    expect(due).toMatchObject({ write: true, handled: given.requested, secret: { generation: 3, previous: "second" } });
    expect(due.waits).toBeUndefined();
  });
});

describe("withPending", () => {
  const until = "begins at 2026-03-02T11:59:00.000Z: until then";

  it("says until when a rotation waits, and what is installed meanwhile", () => {
    expect(withPending(installed("Installed", "app delivers to us."), until)).toMatchObject({
      status: "True",
      reason: "RotationPending",
      message: expect.stringMatching(/^app delivers to us\..*begins at 2026-03-02T11:59:00\.000Z/) as string,
    });
  });

  it("says so too where something worse is to be said, which keeps its reason", () => {
    expect(withPending(notInstalled("ForeignHook", "not ours"), until)).toMatchObject({
      status: "False",
      reason: "ForeignHook",
      message: expect.stringMatching(/^not ours\. The rotation that was asked for begins at/) as string,
    });
  });

  it("leaves the verdict as it is where nothing waits", () => {
    const verdict = installed("Installed", "app delivers to us.");
    expect(withPending(verdict, undefined)).toBe(verdict);
  });
});
