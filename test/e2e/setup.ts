import type { TestProject } from "vitest/node";
import { prepare } from "../cluster/prepared.ts";
import { nodeSupport } from "../cluster/node/index.ts";
import { prepareNode } from "../cluster/node/prepare.ts";

/** Prepares the prerequisites of nodes before the time-outs of tests and hooks start. If no node can run, the tests report the reason. */
export function setup(project: TestProject): () => Promise<void> {
  return prepare(project, async (given) => {
    if ((await nodeSupport()).ok) await prepareNode(given);
  });
}
