import type { TestProject } from "vitest/node";
import { prepareDaemons } from "./daemons.ts";
import { prepare } from "./prepared.ts";

/** Builds the control plane's daemons if there are none, before the time-outs of tests and hooks start. */
export function setup(project: TestProject): () => Promise<void> {
  return prepare(project, async (given) => void (await prepareDaemons("control plane", given)));
}
