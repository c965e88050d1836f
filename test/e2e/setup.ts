import type { TestProject } from "vitest/node";
import { prepare } from "../cluster/prepared.ts";
import { nodeSupport } from "../cluster/node/index.ts";
import { prepareNode } from "../cluster/node/prepare.ts";

/** Gets what nodes need before any time of a test or a hook counts. Where no node can run, the tests say why. */
export function setup(project: TestProject): () => Promise<void> {
  return prepare(project, async (given) => {
    if ((await nodeSupport()).ok) await prepareNode(given);
  });
}
