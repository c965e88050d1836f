import { describe, expect, it } from "vitest";
import { anIntegration } from "../../intake/testing.ts";
import { github } from "../../integrations/github/index.ts";
import { sharersOf, usersOf } from "./members.ts";
import { aSource } from "./unit/testing.ts";

type CachedIntegration = ReturnType<typeof anIntegration>;

const app = (
  name: string,
  over: { app?: number; reason?: string; message?: string; deleted?: boolean } = {},
): CachedIntegration => {
  const condition = {
    type: "WebhookInstalled",
    status: over.reason === "ForeignHook" ? "False" : "True",
    reason: over.reason ?? "SharedHook",
    message: over.message ?? "",
  };
  const credentials = { app: { appId: over.app ?? 1, privateKeySecretRef: { name: "app", key: "key" } } };
  return anIntegration({
    name,
    spec: { credentials },
    status: { conditions: [condition] },
    ...(over.deleted ? { deletionTimestamp: "2026-03-01T12:00:00Z" } : {}),
  });
};

const all = [app("keeper", { reason: "Installed" }), app("b"), app("c"), app("of-another-app", { app: 2 })];
const source = aSource(all, github);
const requeued = (change: { old?: CachedIntegration; current?: CachedIntegration; initial?: boolean }) =>
  sharersOf(source)(change).map(({ name }) => name);

describe("integrations that share a hook are reconciled", () => {
  const keeper = app("keeper", { reason: "Installed" });

  it.each([
    {
      name: "its keeper could not install the hook",
      change: { old: keeper, current: app("keeper", { reason: "ForeignHook" }) },
    },
    {
      name: "the condition of its keeper has another reason",
      change: { old: keeper, current: app("keeper", { reason: "Installed", message: "…" }) },
    },
    {
      name: "its keeper is being deleted",
      change: { old: keeper, current: app("keeper", { reason: "Installed", deleted: true }) },
    },
    { name: "its keeper was deleted by force", change: { old: keeper } },
    {
      name: "its keeper changes to another hook",
      change: { old: keeper, current: app("keeper", { reason: "Installed", app: 3 }) },
    },
  ])("when $name", ({ change }) => {
    expect(requeued(change)).toEqual(["b", "c"]);
  });

  it.each([
    { name: "nothing of the keeper changed", change: { old: keeper, current: keeper } },
    {
      name: "the condition of an integration that is not the keeper changes",
      change: { old: app("b"), current: app("b", { message: "…" }) },
    },
    { name: "the change is part of the initial list", change: { current: keeper, initial: true } },
  ])("but not when $name", ({ change }) => {
    expect(requeued(change)).toEqual([]);
  });
});

describe("integrations of a chat are reconciled with the code host that they use", () => {
  const chatOf = (name: string, host: string): CachedIntegration => {
    const plain = anIntegration({ name });
    return { ...plain, spec: { ...plain.spec, codeHostRef: { kind: "GitHubIntegration", name: host } } };
  };
  const chats = aSource([chatOf("one", "shop"), chatOf("two", "shop"), chatOf("three", "other")]);
  const host = (generation: number, ready: "True" | "False", name = "shop"): CachedIntegration => {
    const plain = anIntegration({
      name,
      status: { conditions: [{ type: "Ready", status: ready, reason: "R", message: "" }] },
    });
    return { ...plain, metadata: { ...plain.metadata, generation } };
  };
  const users = (
    change: { old?: CachedIntegration; current?: CachedIntegration; initial?: boolean },
    kind = "GitHubIntegration",
  ) => usersOf(chats, kind)(change).map(({ name }) => name);

  it.each([
    ["it was edited", { old: host(1, "True"), current: host(2, "True") }],
    ["it became ready", { old: host(1, "False"), current: host(1, "True") }],
    ["it was created", { current: host(1, "False") }],
    ["it was deleted", { old: host(1, "True") }],
  ])("when %s", (_, change) => {
    expect(users(change)).toEqual(["one", "two"]);
  });

  it("but not when only its status was written, by the initial list, for another kind, or for a host that none uses", () => {
    expect(users({ old: host(1, "True"), current: host(1, "True") })).toEqual([]);
    expect(users({ current: host(1, "True"), initial: true })).toEqual([]);
    expect(users({ current: host(1, "True") }, "OtherIntegration")).toEqual([]);
    expect(users({ current: host(1, "True", "unused") })).toEqual([]);
  });
});
