import type { TestProject } from "vitest/node";
import { prepare } from "../cluster/prepared.ts";
import { nodeSupport } from "../cluster/node/index.ts";
import { prepareNode } from "../cluster/node/prepare.ts";

/**
 * Prepares the prerequisites of nodes before the time-outs of tests and hooks start. If no node can run here, the tests are skipped with the reason.
 * A node that does not start although the machine has everything is a failure.
 */
export function setup(project: TestProject): () => Promise<void> {
  return prepare(project, async (given) => {
    if (process.env["BELLHOP_E2E"] === "off") return "BELLHOP_E2E is off";
    const before = await nodeSupport();
    if (!before.ok) return before.reason;
    await prepareNode(given);
    // Packages that were missing are installed now, so that what needs them can be tried.
    const after = await nodeSupport();
    return after.ok ? undefined : after.reason;
  });
}
