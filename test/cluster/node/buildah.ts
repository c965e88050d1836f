import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { run, tail, tryRun } from "./run.ts";

/** Takes a line of progress. */
export type Log = (line: string) => void;

/** One `buildah bud`. */
export interface Build {
  /** Full name and tag of the image. */
  ref: string;
  /** Path of the Dockerfile. */
  file: string;
  context: string;
  buildArgs?: Record<string, string>;
  /** Ignore file to use instead of the context's own. */
  ignoreFile?: string;
}

/**
 * The start of a buildah command: with its own image store in the cache, so that the machine's store is not changed, and in its own mount
 * namespace, so that the mounts of a build end with it, also if it is killed.
 */
function store(): string[] {
  const folder = join(cacheFolder(), "buildah");
  mkdirSync(folder, { recursive: true });
  return [
    "unshare",
    "--mount",
    "buildah",
    "--root",
    join(folder, "root"),
    "--runroot",
    join(folder, "run"),
    "--storage-driver",
    driver(folder),
  ];
}

/** Builds an image and logs the progress every 10 s. If the build fails, throws the last lines of its output. */
export async function build(options: Build, log: Log): Promise<void> {
  const secrets = writeSecrets();
  const args = Object.entries(options.buildArgs ?? {}).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  const ignore = options.ignoreFile === undefined ? [] : ["--ignorefile", options.ignoreFile];
  const argv = [
    ...store(),
    "bud",
    "--isolation",
    "chroot",
    "--layers",
    "--force-rm",
    "--pull-never",
    ...args,
    ...ignore,
  ];
  const end = ["-f", options.file, "-t", options.ref, options.context];
  try {
    await progress(options.ref, log, async (onLine) => {
      const result = await tryRun([...argv, ...secrets.args, ...end], { timeoutMs: 900_000, onLine });
      if (result.code === 0) return;
      throw new Error(`${options.ref} could not be built:\n${tail(`${result.stdout}\n${result.stderr}`, 25)}`);
    });
  } finally {
    secrets.remove();
  }
}

/** Whether the store contains this image. */
export async function hasImage(ref: string): Promise<boolean> {
  return (await tryRun([...store(), "images", "-q", ref])).code === 0;
}

/** Writes an image as a docker archive, atomically. */
export async function save(ref: string, tar: string): Promise<void> {
  const temporary = `${tar}.${process.pid}`;
  rmSync(temporary, { force: true });
  await run([...store(), "push", "-q", ref, `docker-archive:${temporary}:${ref}`], { timeoutMs: 300_000 });
  renameSync(temporary, tar);
}

/** Pushes an image to a registry under another name, with the credentials of `buildah login`. */
export async function pushTo(ref: string, name: string): Promise<void> {
  await run([...store(), "push", "-q", ref, `docker://${name}`], { timeoutMs: 600_000 });
}

/** Logs every 10 s how long some work has taken, and its last line of output. */
export async function progress<T>(what: string, log: Log, work: (onLine: Log) => Promise<T>): Promise<T> {
  const started = Date.now();
  const seconds = (): number => Math.round((Date.now() - started) / 1000);
  let last = "";
  const timer = setInterval(() => log(`${what}: ${seconds()} s, ${last.slice(0, 100)}`), 10_000);
  try {
    const result = await work((line) => (last = line.trim() === "" ? last : line.trim()));
    log(`${what}: built in ${seconds()} s`);
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** The storage driver. `overlay` shares layers; on a file system that is itself an overlay only `vfs` works, which copies them. */
function driver(folder: string): string {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  const on = mounts
    .filter(([, point = ""]) => point === "/" || `${folder}/`.startsWith(`${point}/`))
    .sort(([, a = ""], [, b = ""]) => b.length - a.length)[0];
  return on?.[2] === "overlay" ? "vfs" : "overlay";
}

/** Passes this machine's npm settings and certificate authorities to the build as secrets, so that no layer contains them. */
function writeSecrets(): { args: string[]; remove(): void } {
  const folder = join(cacheFolder(), `secrets-${process.pid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const npmrc = npmSettings();
  writeFileSync(join(folder, "npmrc"), npmrc, { mode: 0o600 });
  const roots = process.env["NODE_EXTRA_CA_CERTS"];
  const ca = roots !== undefined && existsSync(roots) ? ["--secret", `id=ca,src=${roots}`] : [];
  return {
    args: ["--secret", `id=npmrc,src=${join(folder, "npmrc")}`, ...ca],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The npm settings of the user and of the installation, without settings that name files of this machine. */
function npmSettings(): string {
  const files = [
    process.env["npm_config_globalconfig"] ?? "",
    "/usr/etc/npmrc",
    join(process.env["HOME"] ?? "", ".npmrc"),
  ];
  const lines = files
    .filter((file) => file !== "" && existsSync(file))
    .flatMap((file) => readFileSync(file, "utf8").split("\n"));
  return `${lines.filter((line) => line.trim() !== "" && !/^(cafile|prefix|cache|nodedir|globalconfig)\s*=/.test(line)).join("\n")}\n`;
}
