import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { github } from "../../integrations/github/index.ts";
import type { Provider } from "../../integrations/provider.ts";
import { anIntegration, noon } from "../agent-task/testing.ts";
import type { HookSecret } from "./hook-secret.ts";
import { installed, notInstalled } from "./status.ts";
import { afterInstall, hasKey, planKeys, withPending } from "./keep-key.ts";

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
  const provider: Provider = github;
  const webhook = provider.ingress.webhook(integration);
  if (given.requested) integration.metadata.annotations = { "bellhop.dev/rotate-requested-at": given.requested };
  const facts = {
    integration,
    webhook,
    stored: given.stored,
    owns: given.owns ?? true,
    lastHandledRotateAt: given.handled,
  };
  return planKeys(facts, 24 * hourMs, now);
}

describe("planKeys", () => {
  it("creates the first key, which also handles an earlier rotation request", () => {
    expect(plan({ requested: request })).toMatchObject({
      write: true,
      handled: request,
      secret: { generation: 1, installed: 0, requestedAt: request },
    });
  });

  it("creates the next key when a rotation is requested, and keeps the current one as the previous", () => {
    const { secret, write, handled } = plan({ stored: stored(), requested: request });
    expect({ write, handled }).toEqual({ write: true, handled: request });
    expect(secret).toMatchObject({ generation: 2, installed: 1, previous: "first" });
    expect(secret.current).not.toBe("first");
  });

  it.each([
    { name: "no rotation was requested", given: {} },
    { name: "the request was handled", given: { requested: request, handled: request } },
    {
      name: "the request is older than the last handled one",
      given: { requested: request, handled: "2026-03-01T11:30:00Z" },
    },
    { name: "the request is not a time", given: { requested: "now, please" } },
    { name: "another integration installs the hook", given: { requested: request, owns: false } },
    { name: "the hook is managed manually", given: { requested: request, install: "Manual" } },
    {
      name: "the current key is not installed at the provider",
      given: { requested: request, stored: stored({ generation: 2 }) },
    },
  ])("does not change the key if $name", ({ given }) => {
    expect(plan({ stored: stored(), ...given })).toMatchObject({ write: false });
  });

  it.each([
    {
      name: "another integration installs the hook",
      given: { owns: false },
      words: /another integration installs the shared hook/,
    },
    {
      name: "the hook is managed manually",
      given: { install: "Manual" },
      words: /the hook is managed manually .*: change/,
    },
  ])("refuses a request with a reason if $name, and counts it as handled", ({ given, words }) => {
    expect(plan({ stored: stored(), requested: request, ...given })).toMatchObject({
      handled: request,
      refused: expect.stringMatching(words) as string,
    });
  });

  it("recognises a request that it handled although the status was not written", () => {
    const done = stored({ generation: 2, requestedAt: request });
    expect(plan({ stored: done, requested: request })).toEqual({ secret: done, write: false, handled: request });
  });

  it("keeps a request pending while some hooks do not have the current key", () => {
    const planned = plan({ requested: request, stored: stored({ generation: 2 }) });
    expect(planned.pending).toMatch(/^starts when every known hook/);
    expect(planned.handled).toBeUndefined();
  });

  it("drops the previous key when the retry window has passed since the hooks got the current one", () => {
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

  it("drops the previous key also if our hooks were removed, counted from the later change", () => {
    const [installedAt, rotatedAt] = ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"];
    const taken = stored({ generation: 2, installed: 0, previous: "zeroth", installedAt, rotatedAt });
    const manual = { stored: taken, install: "Manual" };
    const after = (ms: number): Date => new Date(Date.parse(rotatedAt) + ms);
    expect(plan(manual, after(23 * hourMs)).secret.previous).toBe("zeroth");
    expect(plan(manual, after(25 * hourMs)).secret.previous).toBeUndefined();
    // A new installation may sign with the previous key until the hook has the current one.
    expect(plan({ stored: taken }, after(25 * hourMs)).secret.previous).toBe("zeroth");
  });

  it("delays a second rotation until no delivery can be signed with the previous key", () => {
    const installedAt = "2026-03-01T11:59:00.000Z";
    const both = stored({ generation: 2, installed: 2, current: "second", previous: "first", installedAt });
    const given = { stored: both, requested: "2026-03-01T11:59:30.000Z", handled: request };
    const end = new Date(Date.parse(installedAt) + 24 * hourMs);
    const pending = expect.stringMatching(/^starts at 2026-03-02T11:59:00\.000Z/) as string;
    expect(plan(given)).toEqual({ secret: both, write: false, pending });
    expect(plan(given, end)).toMatchObject({ write: false, pending });
    const due = plan(given, new Date(end.getTime() + 1));
    expect(due).toMatchObject({ write: true, handled: given.requested, secret: { generation: 3, previous: "second" } });
    expect(due.pending).toBeUndefined();
  });
});

describe("withPending", () => {
  const until = "starts at 2026-03-02T11:59:00.000Z: until then";

  it("says when a pending rotation starts, and what is installed now", () => {
    expect(withPending(installed("Installed", "app delivers to us."), until)).toMatchObject({
      status: "True",
      reason: "RotationPending",
      message: expect.stringMatching(/^app delivers to us\..*starts at 2026-03-02T11:59:00\.000Z/) as string,
    });
  });

  it("says so too for a verdict that is not True, which keeps its reason", () => {
    expect(withPending(notInstalled("ForeignHook", "not ours"), until)).toMatchObject({
      status: "False",
      reason: "ForeignHook",
      message: expect.stringMatching(/^not ours\. The requested rotation starts at/) as string,
    });
  });

  it("does not change the verdict if no rotation is pending", () => {
    const verdict = installed("Installed", "app delivers to us.");
    expect(withPending(verdict, undefined)).toBe(verdict);
  });
});

describe("afterInstall", () => {
  const secret = stored({ generation: 2, current: "second", keyed: { shop: 1, till: 1 } });
  const [shop, till] = [{ target: "shop" }, { target: "till" }];

  it.each([
    { name: "when every hook has it", done: [shop, till], left: [], over: {}, installed: 2 },
    {
      name: "when one that cannot be reached already has it",
      done: [shop],
      left: [till],
      over: { till: 2 },
      installed: 2,
    },
    { name: "not while one that cannot be reached has another", done: [shop], left: [till], over: {}, installed: 1 },
    { name: "not when there is no hook at all", done: [], left: [], over: {}, installed: 1 },
  ])("counts a key as installed $name", ({ done, left, over, installed }) => {
    const after = afterInstall({ ...secret, keyed: { ...secret.keyed, ...over } }, { done, left }, noon);
    expect(after).toMatchObject({ installed, ...(installed === 2 ? { installedAt: noon.toISOString() } : {}) });
  });

  it("records for each hook whether it has the key, and prunes removed hooks", () => {
    const after = afterInstall(secret, { done: [shop], left: [] }, noon);
    expect(after.keyed).toEqual({ shop: 2 });
    expect(["shop", "till"].map((target) => hasKey(after, target))).toEqual([true, false]);
  });

  it("returns an equal secret if nothing changed, so that nothing is written", () => {
    const { keyed: _keyed, ...bare } = secret;
    expect(isDeepStrictEqual(afterInstall(bare, { done: [], left: [] }, noon), bare)).toBe(true);
  });
});
