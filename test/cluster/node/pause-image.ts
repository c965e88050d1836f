import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { pauseImage } from "./containerd.ts";
import { run } from "./run.ts";

const busybox = "/bin/busybox";

/**
 * Archive of the pause image: busybox that sleeps. The image is written directly, because it has one layer with one file. The cache keeps
 * it under the hash of that file.
 */
export async function pauseImageTar(): Promise<string> {
  const folder = join(cacheFolder(), "images");
  const path = join(folder, `pause-${hash(readFileSync(busybox)).slice(0, 16)}.tar`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, "pause-"));
  try {
    await writeArchive(work);
    renameSync(join(work, "image.tar"), path);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return path;
}

/** Source: the docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format". */
async function writeArchive(work: string): Promise<void> {
  mkdirSync(join(work, "root", "bin"), { recursive: true });
  copyFileSync(busybox, join(work, "root", "bin", "busybox"));
  await run(["tar", "--owner=0", "--group=0", "-C", join(work, "root"), "-cf", join(work, "layer.tar"), "bin"]);
  const config = {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { Entrypoint: [busybox, "sleep", "1000000"], User: "65535:65535" },
    rootfs: { type: "layers", diff_ids: [`sha256:${hash(readFileSync(join(work, "layer.tar")))}`] },
  };
  writeFileSync(join(work, "config.json"), JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: [pauseImage], Layers: ["layer.tar"] }];
  writeFileSync(join(work, "manifest.json"), JSON.stringify(manifest));
  await run(["tar", "-C", work, "-cf", join(work, "image.tar"), "manifest.json", "config.json", "layer.tar"]);
}

function hash(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
