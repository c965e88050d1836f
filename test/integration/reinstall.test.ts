import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AgentTaskKind } from "../../src/api/kinds.ts";
import { aNamespace, eventually } from "../cluster/namespace.ts";
import { aClusterWithChart, applyAll, type ChartWorld, typeOf } from "./chart-world.ts";
import { aPersonsTask } from "./task-samples.ts";

let world: ChartWorld;
beforeAll(async () => {
  world = await aClusterWithChart();
});
afterAll(() => world?.stop());

describe("a second installation on the same API server", () => {
  it("enforces its policies, and refuses nothing else", async () => {
    const { admin, objects } = world;
    const namespace = await aNamespace(admin, "reinstall");
    /** The API server's error if an administrator creates a task in the name of a GitHub user; `undefined` if it is allowed. */
    const forgery = async (): Promise<string | undefined> => {
      const task = aPersonsTask(namespace, { actor: { id: "", login: "somebody-else" } });
      return admin.create(AgentTaskKind, task, { dryRun: true }).then(
        () => undefined,
        (error: unknown) => String(error),
      );
    };
    const refused = { describe: "a forged actor to be refused by our rule" };
    await eventually(async () => /spec\.actor\.login must be you/.test((await forgery()) ?? ""), refused);

    // These are the deletions of `helm uninstall`.
    const removed = objects.filter(({ metadata }) => metadata.annotations?.["helm.sh/resource-policy"] !== "keep");
    const policies = removed.filter(
      ({ kind, metadata }) => kind?.startsWith("ValidatingAdmissionPolicy") || metadata.name === "bellhop-accounts",
    );
    expect(policies.length).toBeGreaterThan(2);
    for (const object of policies) {
      const { name, namespace: at } = object.metadata;
      await admin.delete(typeOf(object), { name, ...(at !== undefined && { namespace: at }) });
    }
    // The API server reloads its policies once a second; it has done so when it refuses nothing any more.
    const allowed = { describe: "a forged actor to be allowed" };
    await eventually(async () => (await forgery()) === undefined, allowed);

    await applyAll(admin, objects);
    await eventually(async () => /spec\.actor\.login must be you/.test((await forgery()) ?? ""), refused);
  });
});
