import type { Repository } from "../state/repositories.ts";
import { fullName } from "../state/repositories.ts";
import type { World } from "../state/world.ts";
import { viewAccount } from "./account.ts";
import { nodeId, repoApi, repoWeb, web } from "./urls.ts";

/** URL templates of a repository: field name to the path after the repository's REST URL. */
const links: Record<string, string> = {
  archive_url: "/{archive_format}{/ref}",
  assignees_url: "/assignees{/user}",
  blobs_url: "/git/blobs{/sha}",
  branches_url: "/branches{/branch}",
  collaborators_url: "/collaborators{/collaborator}",
  comments_url: "/comments{/number}",
  commits_url: "/commits{/sha}",
  compare_url: "/compare/{base}...{head}",
  contents_url: "/contents/{+path}",
  contributors_url: "/contributors",
  deployments_url: "/deployments",
  downloads_url: "/downloads",
  events_url: "/events",
  forks_url: "/forks",
  git_commits_url: "/git/commits{/sha}",
  git_refs_url: "/git/refs{/sha}",
  git_tags_url: "/git/tags{/sha}",
  hooks_url: "/hooks",
  issue_comment_url: "/issues/comments{/number}",
  issue_events_url: "/issues/events{/number}",
  issues_url: "/issues{/number}",
  keys_url: "/keys{/key_id}",
  labels_url: "/labels{/name}",
  languages_url: "/languages",
  merges_url: "/merges",
  milestones_url: "/milestones{/number}",
  notifications_url: "/notifications{?since,all,participating}",
  pulls_url: "/pulls{/number}",
  releases_url: "/releases{/id}",
  stargazers_url: "/stargazers",
  statuses_url: "/statuses/{sha}",
  subscribers_url: "/subscribers",
  subscription_url: "/subscription",
  tags_url: "/tags",
  teams_url: "/teams",
  trees_url: "/git/trees{/sha}",
};

/** GitHub's schema `repository`, as lists and webhooks carry it. */
export function viewRepository(world: World, repo: Repository): Record<string, unknown> {
  const host = new URL(world.baseUrl()).host;
  return {
    ...identity(world, repo),
    ...Object.fromEntries(Object.entries(links).map(([field, rest]) => [field, repoApi(world, repo, rest)])),
    created_at: repo.createdAt,
    updated_at: repo.updatedAt,
    pushed_at: repo.pushedAt,
    git_url: `git://${host}/${fullName(repo)}.git`,
    ssh_url: `git@${host}:${fullName(repo)}.git`,
    clone_url: repoWeb(world, repo, ".git"),
    svn_url: repoWeb(world, repo),
    ...counts(world, repo),
    homepage: null,
    language: null,
    license: null,
    mirror_url: null,
    has_issues: true,
    has_projects: true,
    has_downloads: true,
    has_wiki: true,
    has_pages: false,
    has_discussions: false,
    archived: repo.archived,
    disabled: false,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repo.private ? "private" : "public",
    default_branch: repo.defaultBranch,
    custom_properties: {},
  };
}

/** GitHub's schema `full-repository`, as `GET /repos/{owner}/{repo}` answers. */
export function viewFullRepository(world: World, repo: Repository): Record<string, unknown> {
  const parent = repo.parent && {
    parent: viewRepository(world, repo.parent),
    source: viewRepository(world, repo.parent),
  };
  return {
    ...viewRepository(world, repo),
    ...parent,
    network_count: 0,
    subscribers_count: 0,
    allow_rebase_merge: true,
    allow_squash_merge: true,
    allow_merge_commit: true,
    allow_auto_merge: false,
    delete_branch_on_merge: false,
    organization: repo.owner.type === "Organization" ? viewAccount(world, repo.owner) : null,
  };
}

/** The short form of a repository in installation webhooks. */
export function viewRepositoryName(repo: Repository): Record<string, unknown> {
  return {
    id: repo.id,
    node_id: nodeId("Repository", repo.id),
    name: repo.name,
    full_name: fullName(repo),
    private: repo.private,
  };
}

function identity(world: World, repo: Repository): Record<string, unknown> {
  return {
    ...viewRepositoryName(repo),
    owner: viewAccount(world, repo.owner),
    html_url: web(world, `/${fullName(repo)}`),
    description: repo.description,
    fork: repo.parent !== null,
    url: repoApi(world, repo),
  };
}

function counts(world: World, repo: Repository): Record<string, unknown> {
  const open = world.data.issues.filter((issue) => issue.repo === repo && issue.state === "open").length;
  const forks = world.data.repositories.filter((other) => other.parent === repo).length;
  return {
    size: 0,
    stargazers_count: 0,
    watchers_count: 0,
    watchers: 0,
    forks_count: forks,
    forks,
    open_issues_count: open,
    open_issues: open,
  };
}
