import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { adminKubeconfig, type ControlPlane, startControlPlane } from "./control-plane.ts";
import { prepareDaemons } from "./daemons.ts";
import { prepare } from "./prepared.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Kubeconfig of an administrator of the shared control plane. Make your own namespace there: `aNamespace`. */
    kubeconfigPath: string;
    /** Folder of the shared control plane, with the logs of its daemons. */
    controlPlaneFolder: string;
  }
}

/** Starts the one control plane that all cluster tests share, and builds its daemons first if there are none. Returns the function that ends it. */
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
