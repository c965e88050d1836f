import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { adminKubeconfig, type ControlPlane, startControlPlane } from "./control-plane.ts";
import { prepareDaemons } from "./daemons.ts";
import { prepare } from "./prepared.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Kubeconfig of an administrator of the shared control plane. Use a separate namespace for each test: `aNamespace`. */
    kubeconfigPath: string;
    /** Folder of the shared control plane, with the logs of its daemons. */
    controlPlaneFolder: string;
  }
}

/**
 * Starts the control plane that all cluster tests share, and first builds its daemons if there are none. Returns the function that stops
 * it.
 */
export function setup(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-control-plane-"));
  project.provide("kubeconfigPath", adminKubeconfig(folder));
  project.provide("controlPlaneFolder", folder);
  let shared: ControlPlane | undefined;
  const end = prepare(project, async (given) => {
    shared = await startControlPlane({ folder, daemons: await prepareDaemons("control plane", given) });
  });
  return async () => {
    await end();
    await shared?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
