import { buildDaemons, builtDaemons, type BuildOptions } from "./daemons/build.ts";
import { daemonsAt, placesOf, type DaemonUse, type Found } from "./daemons/machine.ts";
import { type Progress, type Say, startProgress } from "./progress.ts";
import { defined } from "../../src/shared/defined.ts";

/** Places to look for daemons, and callbacks for messages. */
export interface DaemonOptions extends BuildOptions {
  /** Called with a line if the machine's own daemons are used, and if some are there that are not suitable. */
  say?: (line: string) => void;
  env?: NodeJS.ProcessEnv;
  /** Places on this machine to search, in addition to the PATH and the folders of setup-envtest. */
  usual?: readonly string[];
  /** Our own build; tests pass a fake one. */
  build?: (options: DaemonOptions) => Promise<string>;
  /** The build in the cache, if there is one. */
  built?: () => Promise<string | undefined>;
}

/** Callbacks for messages while daemons are prepared, and the signal that ends it. */
export interface PrepareOptions {
  say: Say;
  /** Other work in progress; nothing by default. */
  progress?: Progress;
  signal?: AbortSignal;
  /** Called when a build starts, after its prerequisites were found. */
  begun?: () => void;
}

/** As `daemonsFolder`, but also reports the progress of a build. */
export function prepareDaemons(use: DaemonUse, options: PrepareOptions): Promise<string> {
  const { say, progress = startProgress(say), signal, begun = () => {} } = options;
  const more = defined({ signal });
  return progress.part(`Kubernetes daemons of the ${use}`, (show) => {
    const now = (doing: string): void => (begun(), show(doing));
    return daemonsFolder(use, { say, now, ...more });
  });
}

/**
 * The folder with all daemons that a use needs, of the pinned minor version or a newer one. Search order: `KUBEBUILDER_ASSETS`; our own
 * build in the cache, because it has the pinned version; the daemons of this machine; a new build, which is made once.
 */
export async function daemonsFolder(use: DaemonUse, options: DaemonOptions = {}): Promise<string> {
  const { say = () => {}, env = process.env, build = buildDaemons, built = builtDaemons } = options;
  const { assets, others } = placesOf(env, options.usual);
  const given = assets && (await daemonsAt(assets, use));
  if (given?.fits) return used(given, say);
  const own = await built();
  if (given) say(`${given.why}: using our own build instead${own === undefined ? ", which is made first" : ""}`);
  if (own !== undefined) return own;
  for (const place of others) {
    const found = await daemonsAt(place, use);
    if (found.fits) return used(found, say);
    if (found.partly) say(`${found.why}: not used`);
  }
  return build(options);
}

function used({ folder, what }: Found & { fits: true }, say: (line: string) => void): string {
  say(`using ${what}`);
  return folder;
}
