import { join } from "node:path";
import type { Container } from "./types.ts";

/** Maps paths of a container to paths on this machine. A path stands for itself and everything below it. */
export type PathMap = { from: string; to: string }[];

/** The local path of each part of a container. */
export interface ContainerPlaces {
  /** Folder of a volume. */
  volume(name: string): string;
  /** The file from which the termination message of this run is read. */
  terminationLog: string;
  /** The folder that replaces `/app`, and whether sources replace its `dist/*.js`. */
  app: { root: string; fromSources: boolean };
}

/** The path map of a container: its mounts, its termination message, and `/app` of our own image. */
export function pathMap(container: Container, places: ContainerPlaces): PathMap {
  const mounts = (container.volumeMounts ?? []).map(({ mountPath, name, subPath }) => ({
    from: withoutSlash(mountPath),
    to: subPath === undefined ? places.volume(name) : join(places.volume(name), subPath),
  }));
  const message = { from: container.terminationMessagePath ?? "/dev/termination-log", to: places.terminationLog };
  return [...mounts, message, { from: "/app", to: places.app.root }];
}

/**
 * Replaces a container path at the start of a text by the local path. The longest matching path counts, and it must end at a path boundary.
 * Paths in the middle of a text are not replaced.
 */
export function mapPath(text: string, map: PathMap): string {
  const matching = map.filter(({ from }) => text === from || text.startsWith(`${from}/`));
  const longest = matching.sort((a, b) => b.from.length - a.from.length)[0];
  return longest ? longest.to + text.slice(longest.from.length) : text;
}

/**
 * Returns the command that the image's launcher runs for `bellhop <process> …`, without the launcher's flags for Node, because they depend
 * on a container's memory limit. Returns any other command unchanged.
 */
export function launched(words: readonly string[]): readonly string[] {
  const [command, process = "", ...rest] = words;
  return command === "/app/bin/bellhop" ? ["node", `/app/dist/${process}/main.js`, ...rest] : words;
}

/** Replaces `/app/dist/x.js` by `src/x.ts`, for a checkout that was not built. */
export function mapAppSource(text: string, app: ContainerPlaces["app"]): string {
  const compiled = app.fromSources ? /^\/app\/dist\/(.+)\.js$/.exec(text)?.[1] : undefined;
  return compiled === undefined ? text : join(app.root, "src", `${compiled}.ts`);
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
