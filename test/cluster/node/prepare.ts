import { prepareDaemons, type PrepareOptions } from "../daemons.ts";
import { type Progress, startProgress } from "../progress.ts";
import { type BuiltImages, buildImages } from "./images.ts";
import { installPrerequisites } from "./prerequisites.ts";

/** Prerequisites of a node with Bellhop's images; some of them take minutes the first time. */
export interface PreparedNode {
  /** The folder of the daemons. */
  daemons: string;
  images: BuiltImages;
}

/**
 * Prepares everything that a node needs. The daemons take longest, so they start first, and the other steps run in parallel; but these are
 * skipped if the daemons can be neither found nor built.
 */
export async function prepareNode(options: PrepareOptions): Promise<PreparedNode> {
  const { progress = startProgress(options.say) } = options;
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const building = prepareDaemons("node", { ...options, progress, begun: resolve });
  await Promise.race([begun, building]);
  const [daemons, images] = await Promise.all([building, packagesAndImages(progress)]);
  return { daemons, images };
}

async function packagesAndImages(progress: Progress): Promise<BuiltImages> {
  await progress.part("Debian packages", async (now) => {
    await installPrerequisites("images", now);
    await installPrerequisites("node", now);
  });
  return progress.part("images", (now) => buildImages({ log: now }));
}
