import type { TestProject } from "vitest/node";
import { prepareDaemons } from "./daemons.ts";
import { prepare } from "./prepared.ts";

/** Builds the control plane's daemons where there are none, before any time of a test or a hook counts. */
export function setup(project: TestProject): () => Promise<void> {
  return prepare(project, async (given) => void (await prepareDaemons("control plane", given)));
}
