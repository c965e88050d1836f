import { join } from "node:path";
import type { Container } from "./types.ts";

/** Container paths and the local ones that stand for them. A path matches itself and everything below it. */
export type PathMap = { from: string; to: string }[];

/** Where the container's own files are. */
export interface ContainerPlaces {
  /** Folder of a volume. */
  volume(name: string): string;
  /** The file that is read for the termination message of this run. */
  terminationLog: string;
  /** Folder that stands for `/app`, and what stands for its `dist/*.js`: itself, or the sources. */
  app: { root: string; fromSources: boolean };
}

/** The paths of a container: its mounts, its termination message and our own image's `/app`. */
export function pathMap(container: Container, places: ContainerPlaces): PathMap {
  const mounts = (container.volumeMounts ?? []).map(({ mountPath, name, subPath }) => ({
    from: withoutSlash(mountPath),
    to: subPath === undefined ? places.volume(name) : join(places.volume(name), subPath),
  }));
  const message = { from: container.terminationMessagePath ?? "/dev/termination-log", to: places.terminationLog };
  return [...mounts, message, { from: "/app", to: places.app.root }];
}

/**
 * A string with its container path replaced by the local one, where it is or begins with one (the longest counts, at a
 * path boundary). Everything else stays as it is: paths in the middle of a text are not seen.
 */
export function mapPath(text: string, map: PathMap): string {
  const matching = map.filter(({ from }) => text === from || text.startsWith(`${from}/`));
  const longest = matching.sort((a, b) => b.from.length - a.from.length)[0];
  return longest ? longest.to + text.slice(longest.from.length) : text;
}

/**
 * The command that the image's launcher runs for `bellhop <process> …`, without its flags: they fit Node to a container's memory limit, and the
 * process node has no containers. Any other command stays as it is.
 */
export function launched(words: readonly string[]): readonly string[] {
  const [command, process = "", ...rest] = words;
  return command === "/app/bin/bellhop" ? ["node", `/app/dist/${process}/main.js`, ...rest] : words;
}

/** `/app/dist/x.js` is `src/x.ts` in a checkout that was not built. */
export function mapAppSource(text: string, app: ContainerPlaces["app"]): string {
  const compiled = app.fromSources ? /^\/app\/dist\/(.+)\.js$/.exec(text)?.[1] : undefined;
  return compiled === undefined ? text : join(app.root, "src", `${compiled}.ts`);
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
