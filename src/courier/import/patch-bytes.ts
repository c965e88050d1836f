import { ended, git, startGit, type GitOptions } from "../git/run.ts";
import { rawPath, type RawPath } from "../raw-path.ts";

/** The id of the empty tree, which git knows without having it. */
const emptyTree = {
  sha1: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  sha256: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
} as const;

/** The size of the patch between two commits, binary content included; counted, never held. */
export async function patchBytes(parent: string | undefined, commit: string, own: GitOptions): Promise<number> {
  const args = [...diffTree, "-p", "--binary", "--no-ext-diff", "--no-textconv", before(parent, commit), commit];
  const child = startGit(args, own);
  child.stdin.on("error", () => {});
  child.stdin.end();
  let bytes = 0;
  child.stdout.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await ended(child, args);
  return bytes;
}

/** Every path that differs between two commits, those that are gone included: read from the commit, so that nothing in it is unheard of. */
export async function changedPaths(parent: string | undefined, commit: string, own: GitOptions): Promise<RawPath[]> {
  const out = await git([...diffTree, "--name-only", "-z", before(parent, commit), commit], own);
  return rawPath(out).split("\0").filter(Boolean);
}

const diffTree = ["diff-tree", "-r", "--no-renames"];

function before(parent: string | undefined, commit: string): string {
  return parent ?? emptyTree[commit.length === 64 ? "sha256" : "sha1"];
}
