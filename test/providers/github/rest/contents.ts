import { resolveRevision } from "../git/repository.ts";
import { git, tryGit } from "../git/run.ts";
import { repoApi, repoWeb } from "../view/urls.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

/** Files and folders at a revision (`ref`, or else the default branch). */
export const contentRoutes: Route[] = [
  onRepo("GET /repos/{owner}/{repo}/contents/{path}", "read:contents", contents),
  onRepo("GET /repos/{owner}/{repo}/contents", "read:contents", contents),
];

interface Entry {
  type: string;
  sha: string;
  size: number;
  path: string;
}

async function contents(call: RepoCall): Promise<Answer> {
  const ref = call.query.get("ref") ?? call.repo.defaultBranch;
  const path = (call.params["path"] ?? "").replace(/^\/+|\/+$/g, "");
  const commit = await resolveRevision(call.repo.dir, `${ref}^{commit}`);
  if (commit === undefined) throw new HttpFailure(404, `No commit found for the ref ${ref}`);
  const at = path === "" ? "tree" : await typeOf(call.repo.dir, `${commit}:${path}`);
  const entries = await list(call.repo.dir, commit, at === "tree" && path !== "" ? `${path}/` : path);
  if (at === "tree") return ok(entries.map((entry) => view(call, entry, ref)));
  const [file] = entries;
  if (!file) throw notFound();
  const blob = (await tryGit(call.repo.dir, ["cat-file", "blob", file.sha])).stdout;
  return ok({ ...view(call, file, ref), encoding: "base64", content: wrap(blob.toString("base64")) });
}

async function typeOf(dir: string, object: string): Promise<string> {
  const { code, stdout } = await tryGit(dir, ["cat-file", "-t", object]);
  if (code !== 0) throw notFound();
  return stdout.toString().trim();
}

async function list(dir: string, commit: string, path: string): Promise<Entry[]> {
  const out = await git(dir, ["ls-tree", "-l", "-z", commit, ...(path === "" ? [] : ["--", path])]);
  return out
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const [facts = "", name = ""] = line.split("\t");
      const [, type = "", sha = "", size = "0"] = facts.split(/\s+/);
      return { type: type === "tree" ? "dir" : "file", sha, size: Number(size) || 0, path: name };
    });
}

function view(call: RepoCall, entry: Entry, ref: string): Record<string, unknown> {
  const path = entry.path.split("/").map(encodeURIComponent).join("/");
  const url = repoApi(call.world, call.repo, `/contents/${path}?ref=${encodeURIComponent(ref)}`);
  const kind = entry.type === "dir" ? "tree" : "blob";
  const gitUrl = repoApi(call.world, call.repo, `/git/${kind}s/${entry.sha}`);
  const page = repoWeb(call.world, call.repo, `/${kind}/${ref}/${path}`);
  return {
    name: entry.path.split("/").at(-1),
    path: entry.path,
    sha: entry.sha,
    size: entry.size,
    url,
    html_url: page,
    git_url: gitUrl,
    download_url: entry.type === "dir" ? null : repoWeb(call.world, call.repo, `/raw/${ref}/${path}`),
    type: entry.type,
    _links: { self: url, git: gitUrl, html: page },
  };
}

function wrap(base64: string): string {
  return `${base64.replaceAll(/(.{60})/g, "$1\n").replace(/\n$/, "")}\n`;
}
