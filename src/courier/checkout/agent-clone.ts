import { cpSync, existsSync } from "node:fs";
import path from "node:path";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import { git, type GitOptions } from "../git/run.ts";
import type { TreeEntry } from "../git/objects.ts";
import { bytesOf } from "../raw-path.ts";
import { branchName, ownRefs } from "./fetch-base.ts";

/** Inputs of the agent's clone. */
export interface CloneSource {
  /** The courier's own repository. */
  gitDir: string;
  /** The repository's address at the broker. */
  url: string;
  checkout: SandboxSpec["checkout"];
  /** The paths that were written to the workspace. Git would refuse an index that has the others. */
  tree: readonly TreeEntry[];
  baseRefFetched: boolean;
}

/**
 * Creates the agent's own clone in the workspace: the same objects, the broker as `origin`, its branch checked out, writable by the group,
 * without hooks. It is created before the agent starts. After that, no git process of ours reads it.
 */
export async function agentClone(workspace: string, source: CloneSource): Promise<void> {
  const clone: GitOptions = { gitDir: path.join(workspace, ".git") };
  const branch = branchName(source.checkout.branch);
  const format = source.checkout.headSHA?.length === 64 ? "sha256" : "sha1";
  const init = [
    "init",
    "--quiet",
    "--template=",
    "--shared=group",
    `--object-format=${format}`,
    `--initial-branch=${branch}`,
  ];
  await git([...init, workspace], clone);
  await configure(clone, source.url);
  if (source.checkout.headSHA === undefined) return;
  copyObjects(source.gitDir, clone.gitDir);
  await setRefs(clone, source, branch);
  await writeIndex(clone, source.tree);
}

async function configure(clone: GitOptions, url: string): Promise<void> {
  await git(["config", "core.bare", "false"], clone);
  await git(["config", "remote.origin.url", url], clone);
  await git(["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"], clone);
}

function copyObjects(from: string, to: string): void {
  cpSync(path.join(from, "objects"), path.join(to, "objects"), { recursive: true });
  const shallow = path.join(from, "shallow");
  if (existsSync(shallow)) cpSync(shallow, path.join(to, "shallow"));
}

async function setRefs(clone: GitOptions, source: CloneSource, branch: string): Promise<void> {
  const head = source.checkout.headSHA ?? "";
  await git(["update-ref", `refs/heads/${branch}`, head], clone);
  if (!source.baseRefFetched || source.checkout.baseRef === undefined) return;
  const base = (await git(["rev-parse", ownRefs.baseRef], { gitDir: source.gitDir })).toString("utf8").trim();
  await git(["update-ref", `refs/remotes/origin/${branchName(source.checkout.baseRef)}`, base], clone);
}

async function writeIndex(clone: GitOptions, tree: readonly TreeEntry[]): Promise<void> {
  const lines = tree.map((entry) => bytesOf(`${entry.mode} ${entry.id} 0\t${entry.path}\0`));
  await git(["update-index", "-z", "--index-info"], { ...clone, input: Buffer.concat(lines) });
}
