import { describeError } from "../../src/shared/errors.ts";
import { buildImages, imageNames, type BuiltImage, type BuiltImages } from "../cluster/node/index.ts";
import { pushTo } from "../cluster/node/buildah.ts";
import { run } from "../cluster/node/run.ts";
import { onPath } from "../cluster/node/tools.ts";
import type { Say } from "./place.ts";

/** The way in which images get to the cluster. */
export interface Loading {
  context: string;
  /** Registry and path to push to. */
  registry?: string;
  /** Whether the nodes have the images already. */
  loaded: boolean;
}

/** Reads `CONTEXT`, `REGISTRY` and `LOAD=none`; throws a message of one line if no way to load images is given. */
export function loadingFrom(env: NodeJS.ProcessEnv): Loading {
  const context = env["CONTEXT"] ?? "";
  const registry = env["REGISTRY"] ?? "";
  const load = env["LOAD"] ?? "";
  if (load !== "" && load !== "none")
    throw new Error(`LOAD=${load}: there is only LOAD=none, for images that the nodes already have`);
  if (registry === "" && load === "" && kindCluster(context) === undefined) {
    throw new Error(
      `nothing says how the images get to ${context}: set REGISTRY=registry.example.com/path to push them there, ` +
        "or LOAD=none if its nodes have them (`make image` prints names and archives); contexts named kind-… use `kind load`",
    );
  }
  if (registry === "" && load === "" && onPath("kind") === undefined) {
    throw new Error(`${context} is a kind cluster, and \`kind\` is not on the PATH: install it, or set REGISTRY=`);
  }
  return { context, loaded: load === "none", ...(registry !== "" && { registry }) };
}

/** Names of the images on the cluster. */
export type ImageNames = Record<keyof BuiltImages, string>;

/** Builds the images, brings them to the cluster, and returns their names there. Builds nothing if the nodes have them. */
export async function bringImages(loading: Loading, say: Say): Promise<ImageNames> {
  if (loading.loaded) return imageNames();
  const { bellhop, agent, testProviders } = await buildImages({ log: say }).catch((error: unknown) => {
    throw new Error(`${describeError(error)}.\n${elsewhere()}`, { cause: error });
  });
  return {
    bellhop: await bring(bellhop, loading, say),
    agent: await bring(agent, loading, say),
    testProviders: await bring(testProviders, loading, say),
  };
}

function elsewhere(): string {
  const names = Object.values(imageNames());
  return `Or load them yourself, under these names, and set LOAD=none: ${names.join(" ")} (from Dockerfile, images/agent/custom and images/test-providers)`;
}

async function bring(image: BuiltImage, loading: Loading, say: Say): Promise<string> {
  const { context, registry } = loading;
  if (registry !== undefined) {
    const name = `${registry.replace(/\/+$/, "")}/${image.ref.replace(/^localhost\//, "")}`;
    say(`pushing ${name}`);
    await pushTo(image.ref, name);
    return name;
  }
  say(`kind load image-archive ${image.tar}`);
  await run(kindLoad(context, image.tar), { timeoutMs: 300_000 });
  return image.ref;
}

/** The command line that loads an image into a kind cluster. */
export function kindLoad(context: string, tar: string): string[] {
  return ["kind", "load", "image-archive", tar, "--name", kindCluster(context) ?? context];
}

/** kind names the context of its cluster `x` `kind-x`. */
function kindCluster(context: string): string | undefined {
  return /^kind-(.+)$/.exec(context)?.[1];
}
