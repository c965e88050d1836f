import type { TestProject } from "vitest/node";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Kubeconfig of an administrator of the shared control plane. Make your own namespace there: `aNamespace`. */
    kubeconfigPath: string;
    /** Folder of the shared control plane, with the logs of its daemons. */
    controlPlaneFolder: string;
  }
}

let shared: ControlPlane | undefined;

/** Starts the one control plane that all cluster tests share; builds its daemons first where no cache has them. */
export async function setup(project: TestProject): Promise<void> {
  shared = await startControlPlane();
  project.provide("kubeconfigPath", shared.kubeconfigPath);
  project.provide("controlPlaneFolder", shared.folder);
}

/** Ends it. */
export async function teardown(): Promise<void> {
  await shared?.stop();
}
