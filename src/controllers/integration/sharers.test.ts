import { describe, expect, it } from "vitest";
import type { Integration, Provider } from "../../integrations/types.ts";
import type { KubeObject } from "../../kube/types.ts";
import { sharersOf } from "./sharers.ts";

type Told = Integration & KubeObject;

const app = (name: string, over: { app?: string; reason?: string; message?: string; deleted?: boolean } = {}): Told =>
  ({
    metadata: { name, namespace: "team", uid: `uid-of-${name}`, ...(over.deleted ? { deletionTimestamp: "now" } : {}) },
    spec: { webhook: { install: "Auto" }, app: over.app ?? "apps/1" },
    status: {
      conditions: [
        {
          type: "WebhookInstalled",
          status: over.reason === "ForeignHook" ? "False" : "True",
          reason: over.reason ?? "SharedHook",
          message: over.message ?? "",
        },
      ],
    },
  }) as unknown as Told;

const all = [app("keeper", { reason: "Installed" }), app("b"), app("c"), app("of-another-app", { app: "apps/2" })];
const source = {
  provider: { sharedHook: ({ spec }: Integration) => (spec as unknown as { app: string }).app } as unknown as Provider,
  get: () => undefined,
  list: () => all,
};
const woken = (change: { old?: Told; current?: Told; initial?: boolean }) =>
  sharersOf(source)(change).map(({ name }) => name);

describe("those that share a hook are looked at again", () => {
  const keeper = app("keeper", { reason: "Installed" });

  it.each([
    {
      name: "its keeper could not install it",
      change: { old: keeper, current: app("keeper", { reason: "ForeignHook" }) },
    },
    {
      name: "its keeper says another reason",
      change: { old: keeper, current: app("keeper", { reason: "Installed", message: "…" }) },
    },
    {
      name: "its keeper goes",
      change: { old: keeper, current: app("keeper", { reason: "Installed", deleted: true }) },
    },
    { name: "its keeper was taken away by force", change: { old: keeper } },
    {
      name: "its keeper turns to another hook",
      change: { old: keeper, current: app("keeper", { reason: "Installed", app: "apps/3" }) },
    },
  ])("when $name", ({ change }) => {
    expect(woken(change)).toEqual(["b", "c"]);
  });

  it.each([
    { name: "nothing of it changed", change: { old: keeper, current: keeper } },
    {
      name: "one that does not keep it says something else",
      change: { old: app("b"), current: app("b", { message: "…" }) },
    },
    { name: "all are looked at anyway", change: { current: keeper, initial: true } },
  ])("but not when $name", ({ change }) => {
    expect(woken(change)).toEqual([]);
  });
});
