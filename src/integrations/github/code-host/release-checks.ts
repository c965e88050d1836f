import type { RepositoryRef } from "../../code-host.ts";
import { ProviderError } from "../../errors.ts";
import type { Api } from "../api.ts";

interface Release {
  branch: string;
  parent: string;
  message: string;
}

interface Commit {
  sha: string;
  message: string;
  tree: string;
  parents: string[];
}

/**
 * Creates an empty commit (same tree, without the trailer that skips checks) on top of `parent` and moves the branch to it. If this commit
 * already exists, returns it. If the branch has moved to another commit, throws `Conflict`.
 */
export async function releaseChecks(
  api: Api,
  repository: RepositoryRef,
  release: Release,
  signal: AbortSignal,
): Promise<{ sha: string }> {
  const { branch, parent, message } = release;
  const { owner, name } = repository;
  const at = { owner, repo: name };
  const { data: ref } = await api.request(
    `read branch ${branch} of ${owner}/${name}`,
    "GET /repos/{owner}/{repo}/git/ref/{ref}",
    { ...at, ref: `heads/${branch}` },
    signal,
  );
  const tip = await commitOf(api, repository, ref.object.sha, signal);
  const base = tip.sha === parent ? tip : await commitOf(api, repository, parent, signal);
  if (isRelease(tip, base, message)) return { sha: tip.sha };
  if (tip.sha !== parent) throw moved(repository, release, tip.sha);
  const { data: commit } = await api.request(
    `commit to ${owner}/${name}`,
    "POST /repos/{owner}/{repo}/git/commits",
    { ...at, message, tree: base.tree, parents: [parent] },
    signal,
  );
  await api.request(
    `move branch ${branch} of ${owner}/${name}`,
    "PATCH /repos/{owner}/{repo}/git/refs/{ref}",
    { ...at, ref: `heads/${branch}`, sha: commit.sha, force: false },
    signal,
  );
  return { sha: commit.sha };
}

function isRelease(tip: Commit, base: Commit, message: string): boolean {
  return tip.parents.join() === base.sha && tip.tree === base.tree && tip.message.trim() === message.trim();
}

function moved({ owner, name }: RepositoryRef, { branch, parent }: Release, tip: string): ProviderError {
  return new ProviderError(
    "Conflict",
    `branch ${branch} of ${owner}/${name} is at ${tip.slice(0, 12)} and no longer at ${parent.slice(0, 12)}: approve the new commit instead`,
  );
}

async function commitOf(api: Api, { owner, name }: RepositoryRef, sha: string, signal: AbortSignal): Promise<Commit> {
  const { data } = await api.request(
    `read commit ${sha.slice(0, 12)} of ${owner}/${name}`,
    "GET /repos/{owner}/{repo}/git/commits/{commit_sha}",
    { owner, repo: name, commit_sha: sha },
    signal,
  );
  return {
    sha: data.sha,
    message: data.message,
    tree: data.tree.sha,
    parents: data.parents.map((parent) => parent.sha),
  };
}
