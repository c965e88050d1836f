import { ended, startGit, type GitOptions } from "../git/run.ts";

/** The id of the empty tree, which git knows without having it. */
const emptyTree = {
  sha1: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  sha256: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
} as const;

/** The size of the patch between two commits, binary content included; counted, never held. */
export async function patchBytes(parent: string | undefined, commit: string, own: GitOptions): Promise<number> {
  const from = parent ?? emptyTree[commit.length === 64 ? "sha256" : "sha1"];
  const args = ["diff-tree", "-r", "-p", "--binary", "--no-renames", "--no-ext-diff", "--no-textconv", from, commit];
  const child = startGit(args, own);
  child.stdin.on("error", () => {});
  child.stdin.end();
  let bytes = 0;
  child.stdout.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await ended(child, args);
  return bytes;
}
