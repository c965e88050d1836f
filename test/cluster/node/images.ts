import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { baseImage, baseRef } from "./base-image.ts";
import type { Log } from "./buildah.ts";
import { build, hasImage, save } from "./buildah.ts";
import { cacheFolder } from "./cache.ts";
import { contentHash } from "./content-hash.ts";
import { withLock } from "./lock.ts";
import { installPrerequisites } from "./prerequisites.ts";

/** A built image, and its docker archive for `RealNode.importImage`. */
export interface BuiltImage {
  /** Name and tag; the tag is a hash of the image's sources. */
  ref: string;
  tar: string;
}

/** All images that are built here. */
export interface BuiltImages {
  /** Bellhop's image; the command chooses the process: `/app/bin/bellhop <gateway|operator|broker|courier>`. */
  bellhop: BuiltImage;
  /** The demo agent's image: `/bin/sh`, git and node, and `test/agents` in `/agents`. */
  agent: BuiltImage;
  /** The stand-ins for providers, run from TypeScript: `node /app/test/providers/<name>/main.ts`. */
  testProviders: BuiltImage;
}

const root = fileURLToPath(new URL("../../../", import.meta.url));
/** How many archives of each image are kept: several, for checkouts that are used in turn. */
const archivesKept = 3;
const sources = [
  "package.json",
  "package-lock.json",
  ".npmrc",
  "tsconfig.json",
  "tsconfig.build.json",
  "scripts/node",
  "bin",
  "src",
];

/** Builds the images, or returns those in the cache if their sources are unchanged. */
export async function buildImages(options: { log?: Log } = {}): Promise<BuiltImages> {
  const log = options.log ?? (() => {});
  await installPrerequisites("images", log);
  const lock = join(cacheFolder(), "images.lock");
  return withLock(
    lock,
    () => log("another process builds images, waiting"),
    () => buildAll(log),
  );
}

/** The names of the images; builds nothing. */
export function imageNames(): Record<keyof BuiltImages, string> {
  const { bellhop, agent, testProviders } = recipes(baseRef());
  return { bellhop: bellhop.ref, agent: agent.ref, testProviders: testProviders.ref };
}

async function buildAll(log: Log): Promise<BuiltImages> {
  const { bellhop, agent, testProviders } = recipes(await baseImage(log));
  return {
    bellhop: await image(bellhop, log),
    agent: await image(agent, log),
    testProviders: await image(testProviders, log),
  };
}

/** The sources of an image. */
interface Recipe {
  name: string;
  file: string;
  from: string;
  tag: string;
  ref: string;
}

function recipes(base: string): Record<keyof BuiltImages, Recipe> {
  const recipe = (name: string, file: string, from: string, inputs: string[]): Recipe => {
    const tag = contentHash(root, [file, ".dockerignore", ...inputs], [from]);
    return { name, file, from, tag, ref: `localhost/${name}:${tag}` };
  };
  const bellhop = recipe("bellhop", "Dockerfile", base, sources);
  return {
    bellhop,
    agent: recipe("agent-custom", "images/agent/custom/Dockerfile", base, ["test/agents"]),
    testProviders: recipe("test-providers", "images/test-providers/Dockerfile", bellhop.ref, ["test/providers", "src"]),
  };
}

async function image({ name, file, from, tag, ref }: Recipe, log: Log): Promise<BuiltImage> {
  const folder = join(cacheFolder(), "images");
  const tar = join(folder, `${name}-${tag}.tar`);
  mkdirSync(folder, { recursive: true });
  if (existsSync(tar)) return { ref, tar };
  if (!(await hasImage(ref))) {
    await build({ ref, file: join(root, file), context: root, buildArgs: { BASE: from } }, log);
  }
  await save(ref, tar);
  removeOld(folder, name);
  return { ref, tar };
}

/** Removes old archives: each has a third of a gigabyte, and every change of the sources creates one. */
function removeOld(folder: string, name: string): void {
  const archives = readdirSync(folder)
    .filter((file) => file.startsWith(`${name}-`) && file.endsWith(".tar"))
    .map((file) => ({ path: join(folder, file), at: statSync(join(folder, file)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of archives.slice(archivesKept)) rmSync(path, { force: true });
}
