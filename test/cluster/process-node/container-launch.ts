import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "../../../src/kube/resources.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import type { Launch } from "./container-process.ts";
import { compileCache } from "../compile-cache.ts";
import { containerEnvironment, imageEnvironment } from "./environment.ts";
import { expand } from "./expand.ts";
import { type ContainerPlaces, launched, mapAppSource, mapPath, pathMap } from "./paths.ts";
import type { ContainerRecord } from "./types.ts";
import { type VolumeDeps, volumeFolder } from "./volumes.ts";

/** The folders of one pod on this machine. */
export interface PodPlaces {
  client: KubeClient;
  /** Folder of the pod, with volumes and the containers' scratch folders; removed when the pod ends. */
  folder: string;
  /** Folder of the containers' logs, `<container>.log`; removed with the node. */
  logs: string;
  volumes: VolumeDeps;
  app: ContainerPlaces["app"];
  /** Prefix of the marks that all processes of the pod carry. */
  mark: string;
}

/**
 * Determines how to run a container. Returns undefined if the container names no command, because there is no image that could have one.
 * Throws if an object that the container refers to is missing.
 */
export async function launchOf(places: PodPlaces, pod: Pod, record: ContainerRecord): Promise<Launch | undefined> {
  const { container, restartCount } = record;
  const scratch = join(places.folder, "containers", container.name);
  const terminationLog = join(scratch, `termination-log-${restartCount}`);
  await mkdir(scratch, { recursive: true });
  await rm(terminationLog, { force: true });
  await writeFile(terminationLog, "", { mode: 0o600 });

  const map = pathMap(container, {
    volume: (name) => volumeFolder(places.volumes, pod, name),
    terminationLog,
    app: places.app,
  });
  const variables = await containerEnvironment(places.client, pod, container);
  const local = (text: string): string => mapPath(mapAppSource(text, places.app), map);
  const words = launched([...(container.command ?? []), ...(container.args ?? [])]).map((word) =>
    local(expand(word, variables)),
  );
  const [command, ...args] = words;
  if (command === undefined || container.command === undefined) return undefined;
  const ours = command === "node";
  return {
    command: ours ? process.execPath : command,
    args,
    env: { ...imageEnvironment(pod, scratch), ...(ours ? compileCache() : {}), ...mapValues(variables, local) },
    cwd: container.workingDir === undefined ? scratch : local(container.workingDir),
    mark: `${places.mark}${container.name}|`,
    log: join(places.logs, `${container.name}.log`),
    terminationLog,
    fallbackToLog: container.terminationMessagePolicy === "FallbackToLogsOnError",
  };
}

function mapValues(variables: Record<string, string>, map: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, map(value)]));
}
