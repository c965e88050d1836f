import { appendFile, chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { git, tryGit } from "./run.ts";
import { preReceive } from "./pre-receive.ts";

/** Git configuration, written as a file, because one git process per setting would take longer than the rest of the set-up. */
const settings = `
[http]
	receivepack = true
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
	allowReachableSHA1InWant = true
[receive]
	hideRefs = refs/pull
	denyDeleteCurrent = refuse
[gc]
	auto = 0
`;

/** Creates a bare repository with GitHub's settings: allows partial clones and fetches by id, refuses pushes to `refs/pull`. */
export async function initRepository(dir: string, defaultBranch: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await git(dir, ["init", "--quiet", "--bare", `--initial-branch=${defaultBranch}`]);
  await appendFile(join(dir, "config"), settings);
  const hook = join(dir, "hooks", "pre-receive");
  await mkdir(join(dir, "hooks"), { recursive: true });
  await writeFile(hook, preReceive);
  await chmod(hook, 0o755);
}

/** The id that a revision names, or undefined. */
export async function resolveRevision(dir: string, revision: string): Promise<string | undefined> {
  const { code, stdout } = await tryGit(dir, ["rev-parse", "--verify", "--quiet", "--end-of-options", revision]);
  return code === 0 ? stdout.toString().trim() : undefined;
}

/** The commit that a branch points at, or undefined. */
export function branchTip(dir: string, branch: string): Promise<string | undefined> {
  return resolveRevision(dir, `refs/heads/${branch}^{commit}`);
}

/** All refs with the ids that they point at. */
export async function refsOf(dir: string): Promise<Map<string, string>> {
  const out = await git(dir, ["for-each-ref", "--format=%(objectname) %(refname)"]);
  const lines = out === "" ? [] : out.split("\n");
  return new Map(lines.map((line) => [line.slice(line.indexOf(" ") + 1), line.slice(0, line.indexOf(" "))]));
}

/** Whether `ancestor` is reachable from `descendant`. */
export async function isAncestor(dir: string, ancestor: string, descendant: string): Promise<boolean> {
  return (await tryGit(dir, ["merge-base", "--is-ancestor", ancestor, descendant])).code === 0;
}

/** Copies the objects of a commit from one repository to another and creates a ref to it there. */
export async function fetchInto(dir: string, from: string, sha: string, ref: string): Promise<void> {
  await git(dir, ["fetch", "--quiet", "--no-tags", from, `+${sha}:${ref}`]);
}

/** Points a ref at a commit; creates the ref if it is missing. */
export async function updateRef(dir: string, ref: string, sha: string): Promise<void> {
  await git(dir, ["update-ref", ref, sha]);
}

/** Removes a ref. */
export async function deleteRef(dir: string, ref: string): Promise<void> {
  await git(dir, ["update-ref", "-d", ref]);
}
