import { touchedPaths } from "../git/read.ts";
import type { CommitFacts, FileChange } from "../git/read.ts";
import type { Repository } from "../state/repositories.ts";
import type { World } from "../state/world.ts";
import { viewAccountOrNull } from "./account.ts";
import { nodeId, repoApi, repoWeb } from "./urls.ts";

/** GitHub's schema `simple-commit`, as check suites and workflow runs carry it. */
export function viewHeadCommit(commit: CommitFacts): Record<string, unknown> {
  return {
    id: commit.sha,
    tree_id: commit.tree,
    message: commit.message,
    timestamp: commit.committer.date,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
  };
}

/** A commit in a push webhook. */
export async function viewPushCommit(
  world: World,
  repo: Repository,
  commit: CommitFacts,
): Promise<Record<string, unknown>> {
  return {
    ...viewHeadCommit(commit),
    distinct: true,
    url: repoWeb(world, repo, `/commit/${commit.sha}`),
    ...(await touchedPaths(repo.dir, commit.sha)),
  };
}

/** GitHub's schema `git-commit`. */
export function viewGitCommit(world: World, repo: Repository, commit: CommitFacts): Record<string, unknown> {
  return {
    sha: commit.sha,
    node_id: nodeId("Commit", repo.id),
    url: repoApi(world, repo, `/git/commits/${commit.sha}`),
    html_url: repoWeb(world, repo, `/commit/${commit.sha}`),
    author: commit.author,
    committer: commit.committer,
    tree: { sha: commit.tree, url: repoApi(world, repo, `/git/trees/${commit.tree}`) },
    message: commit.message,
    parents: parents(world, repo, commit, "/git/commits"),
    verification,
  };
}

/** GitHub's schema `commit`, without `stats` and `files`. */
export function viewCommit(world: World, repo: Repository, commit: CommitFacts): Record<string, unknown> {
  const url = repoApi(world, repo, `/commits/${commit.sha}`);
  const byEmail = (email: string) => world.data.accounts.find((account) => account.email === email) ?? null;
  return {
    sha: commit.sha,
    node_id: nodeId("Commit", repo.id),
    commit: {
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: { sha: commit.tree, url: repoApi(world, repo, `/git/trees/${commit.tree}`) },
      url: repoApi(world, repo, `/git/commits/${commit.sha}`),
      comment_count: 0,
      verification,
    },
    url,
    html_url: repoWeb(world, repo, `/commit/${commit.sha}`),
    comments_url: `${url}/comments`,
    author: viewAccountOrNull(world, byEmail(commit.author.email)),
    committer: viewAccountOrNull(world, byEmail(commit.committer.email)),
    parents: parents(world, repo, commit, "/commits"),
  };
}

/** GitHub's schema `diff-entry`. */
export function viewFile(world: World, repo: Repository, file: FileChange, head: string): Record<string, unknown> {
  const path = file.filename.split("/").map(encodeURIComponent).join("/");
  return {
    sha: file.sha,
    filename: file.filename,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: repoWeb(world, repo, `/blob/${head}/${path}`),
    raw_url: repoWeb(world, repo, `/raw/${head}/${path}`),
    contents_url: repoApi(world, repo, `/contents/${path}?ref=${head}`),
    ...(file.patch !== undefined && { patch: file.patch }),
  };
}

const verification = { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null };

function parents(world: World, repo: Repository, commit: CommitFacts, at: string): Record<string, unknown>[] {
  return commit.parents.map((sha) => ({
    sha,
    url: repoApi(world, repo, `${at}/${sha}`),
    html_url: repoWeb(world, repo, `/commit/${sha}`),
  }));
}
