import { actorOf } from "../auth.ts";
import { resolveRevision } from "../git/repository.ts";
import { changedFiles, distance, logCommits, mergeBase, readCommit } from "../git/read.ts";
import type { CommitFacts } from "../git/read.ts";
import { tryGit } from "../git/run.ts";
import { viewCommit, viewFile, viewGitCommit } from "../view/commit.ts";
import { repoApi, repoWeb } from "../view/urls.ts";
import { optionalString, record, requiredString, stringList } from "./body.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { created, ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

const root = "/repos/{owner}/{repo}";

/** Commits: reading, comparing, making. */
export const commitRoutes: Route[] = [
  onRepo(`GET ${root}/commits/{ref}`, "read:contents", show),
  onRepo(`GET ${root}/compare/{basehead}`, "read:contents", compare),
  onRepo(`GET ${root}/git/commits/{commit_sha}`, "read:contents", showGit),
  onRepo(`POST ${root}/git/commits`, "write:contents", create),
];

async function show(call: RepoCall): Promise<Answer> {
  const ref = call.params["ref"] ?? "";
  const sha = await resolve(call, ref);
  const commit = sha === undefined ? undefined : await readCommit(call.repo.dir, sha);
  if (!commit) throw new HttpFailure(422, `No commit found for SHA: ${ref}`);
  const from = commit.parents[0];
  const files = from === undefined ? [] : await changedFiles(call.repo.dir, from, commit.sha);
  const additions = files.reduce((sum, file) => sum + file.additions, 0);
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
  return ok({
    ...viewCommit(call.world, call.repo, commit),
    stats: { additions, deletions, total: additions + deletions },
    files: files.map((file) => viewFile(call.world, call.repo, file, commit.sha)),
  });
}

async function compare(call: RepoCall): Promise<Answer> {
  const [base = "", head = ""] = (call.params["basehead"] ?? "").split("...");
  const { dir } = call.repo;
  const from = await readRevision(call, base);
  const to = await readRevision(call, head);
  const common = await mergeBase(dir, from.sha, to.sha);
  const commonCommit = common === undefined ? undefined : await readCommit(dir, common);
  if (!commonCommit) throw new HttpFailure(404, `No common ancestor between ${base} and ${head}.`);
  const { ahead, behind } = await distance(dir, from.sha, to.sha);
  const commits = await logCommits(dir, [`${from.sha}..${to.sha}`]);
  const files = await changedFiles(dir, from.sha, to.sha);
  const url = repoApi(call.world, call.repo, `/compare/${base}...${head}`);
  const page = repoWeb(call.world, call.repo, `/compare/${base}...${head}`);
  return ok({
    url,
    html_url: page,
    permalink_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    base_commit: viewCommit(call.world, call.repo, from),
    merge_base_commit: viewCommit(call.world, call.repo, commonCommit),
    status: statusOf(ahead, behind),
    ahead_by: ahead,
    behind_by: behind,
    total_commits: commits.length,
    commits: commits.toReversed().map((commit) => viewCommit(call.world, call.repo, commit)),
    files: files.map((file) => viewFile(call.world, call.repo, file, to.sha)),
  });
}

async function showGit(call: RepoCall): Promise<Answer> {
  const sha = call.params["commit_sha"] ?? "";
  const commit = /^[0-9a-f]{40}$/.test(sha) ? await readCommit(call.repo.dir, sha) : undefined;
  if (!commit) throw notFound();
  return ok(viewGitCommit(call.world, call.repo, commit));
}

async function create(call: RepoCall): Promise<Answer> {
  const { dir } = call.repo;
  const message = requiredString(call.body, "message", "Commit");
  const tree = await resolveRevision(dir, `${requiredString(call.body, "tree", "Commit")}^{tree}`);
  if (tree === undefined) throw new HttpFailure(422, "Tree SHA does not exist");
  const parents: string[] = [];
  for (const parent of stringList(call.body["parents"]) ?? []) {
    if ((await resolveRevision(dir, `${parent}^{commit}`)) === undefined) {
      throw new HttpFailure(422, "Parent SHA does not exist or is not a commit object");
    }
    parents.push(parent);
  }
  const { stdout } = await tryGit(
    dir,
    ["hash-object", "-t", "commit", "-w", "--stdin"],
    commitText(call, { message, tree, parents }),
  );
  const commit = await readCommit(dir, stdout.toString().trim());
  if (!commit) throw new HttpFailure(422, "Commit could not be made");
  return created(viewGitCommit(call.world, call.repo, commit));
}

/** The text of the commit object. The author is as given, or else the caller; the timezone is always UTC. */
function commitText(call: RepoCall, given: { message: string; tree: string; parents: string[] }): string {
  const { account } = actorOf(call.identity);
  const signature = (field: string): string | undefined => {
    const person = record(call.body[field]);
    const name = optionalString(person, "name");
    if (name === undefined) return undefined;
    const at = Date.parse(optionalString(person, "date") ?? "") || call.world.clock.now().getTime();
    return `${name} <${optionalString(person, "email") ?? ""}> ${Math.floor(at / 1000)} +0000`;
  };
  const now = Math.floor(call.world.clock.now().getTime() / 1000);
  const author = signature("author") ?? `${account.login} <${account.email}> ${now} +0000`;
  return [
    `tree ${given.tree}`,
    ...given.parents.map((parent) => `parent ${parent}`),
    `author ${author}`,
    `committer ${signature("committer") ?? author}`,
    "",
    given.message,
  ].join("\n");
}

function statusOf(ahead: number, behind: number): string {
  if (ahead > 0 && behind > 0) return "diverged";
  if (ahead > 0) return "ahead";
  return behind > 0 ? "behind" : "identical";
}

async function readRevision(call: RepoCall, name: string): Promise<CommitFacts> {
  const sha = await resolve(call, name.replace(/^[^:]+:/, ""));
  const commit = sha === undefined ? undefined : await readCommit(call.repo.dir, sha);
  if (!commit) throw notFound();
  return commit;
}

/** Resolves a branch first, then a tag, then an id, as GitHub does. */
async function resolve(call: RepoCall, name: string): Promise<string | undefined> {
  for (const candidate of [`refs/heads/${name}`, `refs/tags/${name}`, `refs/${name}`, name]) {
    const sha = await resolveRevision(call.repo.dir, `${candidate}^{commit}`);
    if (sha !== undefined) return sha;
  }
  return undefined;
}
