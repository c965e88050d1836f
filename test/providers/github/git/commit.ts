import { branchTip } from "./repository.ts";
import { git } from "./run.ts";

/** A commit to create. `files` maps paths to contents; null removes a file. */
export interface NewCommit {
  branch: string;
  message: string;
  files: Record<string, string | Buffer | null>;
  author: { name: string; email: string };
  at: Date;
  /** The parent commit instead of the branch's tip, for a rewrite or a new branch. */
  parent?: string;
}

/** Creates one commit on a branch by `git fast-import`, and the branch if it is missing. Returns the commit's id. */
export async function commitFiles(dir: string, commit: NewCommit): Promise<string> {
  const parent = commit.parent ?? (await branchTip(dir, commit.branch));
  await git(dir, ["fast-import", "--quiet", "--force"], stream(commit, parent));
  return (await branchTip(dir, commit.branch)) ?? "";
}

function stream(commit: NewCommit, parent: string | undefined): Buffer {
  const who = `${commit.author.name} <${commit.author.email}> ${Math.floor(commit.at.getTime() / 1000)} +0000`;
  const ref = `refs/heads/${commit.branch}`;
  const parts: (string | Buffer)[] = [
    ...(parent === undefined ? [] : [`reset ${ref}\nfrom ${parent}\n\n`]),
    `commit ${ref}\nauthor ${who}\ncommitter ${who}\n`,
    ...data(commit.message.endsWith("\n") ? commit.message : `${commit.message}\n`),
    ...Object.entries(commit.files).flatMap(([path, content]) => change(path, content)),
    "\n",
  ];
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}

function change(path: string, content: string | Buffer | null): (string | Buffer)[] {
  const quoted = `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
  return content === null ? [`D ${quoted}\n`] : [`M 100644 inline ${quoted}\n`, ...data(content)];
}

function data(content: string | Buffer): (string | Buffer)[] {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return [`data ${bytes.length}\n`, bytes, "\n"];
}
