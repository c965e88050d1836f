import { describe, expect, it } from "vitest";
import type { Integration, Provider } from "../../integrations/types.ts";
import type { KubeObject } from "../../kube/types.ts";
import { sharersOf } from "./members.ts";

type CachedIntegration = Integration & KubeObject;

const app = (
  name: string,
  over: { app?: string; reason?: string; message?: string; deleted?: boolean } = {},
): CachedIntegration =>
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
  }) as unknown as CachedIntegration;

const all = [app("keeper", { reason: "Installed" }), app("b"), app("c"), app("of-another-app", { app: "apps/2" })];
const source = {
  provider: { sharedHook: ({ spec }: Integration) => (spec as unknown as { app: string }).app } as unknown as Provider,
  get: () => undefined,
  list: () => all,
};
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
      change: { old: keeper, current: app("keeper", { reason: "Installed", app: "apps/3" }) },
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
