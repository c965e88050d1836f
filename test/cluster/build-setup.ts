import { controlPlaneDaemons } from "./daemons.ts";

/** Builds the control plane's daemons where no cache has them, before any time of a test or a hook counts. */
export async function setup(): Promise<void> {
  await controlPlaneDaemons();
}
