import { buildDaemons, builtDaemons } from "./daemons/build.ts";
import { daemonsAt, placesOf, type DaemonUse, type Found } from "./daemons/machine.ts";
import { type Progress, type Say, startProgress } from "./progress.ts";

/** Where daemons are looked for, and who hears of it. */
export interface DaemonOptions {
  /** Takes a line where the machine's own daemons are used, and where some are there that do not fit. */
  say?: (line: string) => void;
  /** Takes what the build does at the moment, again and again. */
  now?: (doing: string) => void;
  /** Ends a build. */
  signal?: AbortSignal;
  env?: NodeJS.ProcessEnv;
  /** Folders of the machine to look into, beside the PATH and those of setup-envtest. */
  usual?: readonly string[];
  /** Our own build; tests bring theirs. */
  build?: (options: DaemonOptions) => Promise<string>;
  /** The build that is in the cache, if one is. */
  built?: () => Promise<string | undefined>;
}

/** Who hears of it that daemons are got, and what may end that. */
export interface PrepareOptions {
  say: Say;
  /** What else is under way; nothing unless told. */
  progress?: Progress;
  signal?: AbortSignal;
  /** Called where a build is under way: what it needs is there. */
  begun?: () => void;
}

/** As `daemonsFolder`, and says how far a build is. */
export function prepareDaemons(use: DaemonUse, options: PrepareOptions): Promise<string> {
  const { say, progress = startProgress(say), signal, begun = () => {} } = options;
  const more = signal === undefined ? {} : { signal };
  return progress.part(`Kubernetes daemons of the ${use}`, (show) => {
    const now = (doing: string): void => (begun(), show(doing));
    return daemonsFolder(use, { say, now, ...more });
  });
}

/**
 * The folder with all daemons that a use needs, of the pinned minor version or a newer one: those that `KUBEBUILDER_ASSETS` names; else our own
 * build where the cache has it, since that is the pinned version; else those of the machine; else our own build, made once.
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
