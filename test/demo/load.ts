import type { BuiltImage } from "../cluster/node/index.ts";
import { pushTo } from "../cluster/node/buildah.ts";
import { run } from "../cluster/node/run.ts";
import { onPath } from "../cluster/node/tools.ts";
import type { Say } from "./place.ts";

/** How images reach a cluster that is not ours. */
export interface Loading {
  context: string;
  /** Registry and path to push to. */
  registry?: string;
  /** Whether the nodes have the images already. */
  loaded: boolean;
}

/** Reads `CONTEXT`, `REGISTRY` and `LOAD=none`; throws one line where a way is missing. */
export function loadingFrom(env: NodeJS.ProcessEnv): Loading {
  const context = env["CONTEXT"] ?? "";
  const registry = env["REGISTRY"] ?? "";
  const load = env["LOAD"] ?? "";
  if (load !== "" && load !== "none")
    throw new Error(`LOAD=${load}: there is only LOAD=none, for images that are there`);
  if (registry === "" && load === "" && kindCluster(context) === undefined) {
    throw new Error(
      `how shall the images reach ${context}? Say REGISTRY=registry.example.com/path to push them there, ` +
        "or LOAD=none when its nodes have them (`make image` prints names and archives); for kind-… contexts `kind load` is used",
    );
  }
  if (registry === "" && load === "" && onPath("kind") === undefined) {
    throw new Error(`${context} is a kind cluster, and \`kind\` is not on the PATH: install it, or say REGISTRY=`);
  }
  return { context, loaded: load === "none", ...(registry !== "" && { registry }) };
}

/** Brings an image to the cluster, and gives the name it has there. */
export async function bring(image: BuiltImage, loading: Loading, say: Say): Promise<string> {
  const { context, registry, loaded } = loading;
  if (registry !== undefined) {
    const name = `${registry.replace(/\/+$/, "")}/${image.ref.replace(/^localhost\//, "")}`;
    say(`pushing ${name}`);
    await pushTo(image.ref, name);
    return name;
  }
  if (!loaded) {
    say(`kind load image-archive ${image.tar}`);
    await run(kindLoad(context, image.tar), { timeoutMs: 300_000 });
  }
  return image.ref;
}

/** The command line that gives a kind cluster an image. */
export function kindLoad(context: string, tar: string): string[] {
  return ["kind", "load", "image-archive", tar, "--name", kindCluster(context) ?? context];
}

/** kind names the context of its cluster `x` `kind-x`. */
function kindCluster(context: string): string | undefined {
  return /^kind-(.+)$/.exec(context)?.[1];
}
