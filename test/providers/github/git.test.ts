import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gitEnvironment } from "./git/run.ts";
import { startGitHub } from "./index.ts";
import type { GitHubStandIn } from "./index.ts";
import { call, populate, startReceiver } from "./testing.ts";
import type { Receiver } from "./testing.ts";

const run = promisify(execFile);

let github: GitHubStandIn;
let receiver: Receiver;
let token: string;
let installation: number;
let work: string;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "stand-in-git-"));
  receiver = await startReceiver();
  github = await startGitHub();
  writeFileSync(join(work, "ca.pem"), github.ca!);
  ({ token, installation } = await populate(github, receiver.url));
});

afterAll(async () => {
  await github?.close();
  await receiver?.close();
  rmSync(work, { recursive: true, force: true });
});

/** Runs git as a client; sends the token in a header. */
async function git(args: string[], as?: string, cwd = work): Promise<string> {
  const basic = Buffer.from(`x-access-token:${as}`).toString("base64");
  const config = as === undefined ? [] : ["-c", `http.extraHeader=Authorization: Basic ${basic}`];
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
  const environment = { ...gitEnvironment(), GIT_SSL_CAINFO: join(work, "ca.pem") };
  const { stdout } = await run("git", [...config, ...identity, ...args], { cwd, env: environment });
  return stdout.trim();
}

async function clone(name: string, ...options: string[]): Promise<string> {
  await git(["clone", "--quiet", ...options, `${github.url}/acme/shop.git`, name], token);
  return join(work, name);
}

/** Pushes one commit on a new branch of a clone, and returns its id. */
async function push(dir: string, branch: string, message: string, as: string, file = "new.txt"): Promise<string> {
  await git(["checkout", "--quiet", "-b", branch], undefined, dir);
  writeFileSync(join(dir, file), `${branch}\n`);
  await git(["add", "."], undefined, dir);
  await git(["commit", "--quiet", "-m", message], undefined, dir);
  await git(["push", "--quiet", "origin", branch], as, dir);
  return git(["rev-parse", "HEAD"], undefined, dir);
}

describe("git access to the stand-in", () => {
  it("asks anonymous clients for credentials, and hides private repositories from other people", async () => {
    await expect(git(["ls-remote", `${github.url}/acme/shop.git`])).rejects.toThrow(/could not read Username/);
    const stranger = await github.people.createUserToken({ login: "mallory" });
    await expect(git(["ls-remote", `${github.url}/acme/shop.git`], stranger)).rejects.toThrow(/not found/i);
  });

  it("serves a partial clone by protocol 2, and a fetch of a commit by its id", async () => {
    const dir = await clone("partial", "--filter=blob:none", "--no-checkout");
    const first = await git(["rev-parse", "HEAD"], undefined, dir);
    await git(["fetch", "--quiet", "--depth=1", "origin", first], token, dir);
    const exchange = github.gitCalls.find((entry) => entry.filter !== null);
    expect(exchange).toMatchObject({
      filter: "blob:none",
      protocol: "version=2",
      identity: expect.stringMatching(/^bellhop\[bot\]/),
    });
    expect(github.gitCalls.at(-1)!.wants).toEqual([first]);
  });

  it("records a push with old and new id, delivers it, and starts checks that can be ended", async () => {
    const dir = await clone("pusher");
    receiver.received.length = 0;
    const sha = await push(dir, "feature", "Do it", token);
    const exchange = github.gitCalls.findLast(
      (entry) => entry.service === "git-receive-pack" && entry.step === "exchange",
    );
    const updates = [{ ref: "refs/heads/feature", old: "0".repeat(40), new: sha, applied: true }];
    expect(exchange).toMatchObject({ updates, status: 200, permissions: { contents: "write" } });
    const [suite] = await github.people.checkSuites({ repo: "acme/shop", sha });
    expect(suite).toMatchObject({ status: "queued", head_sha: sha, app: { slug: "github-actions" } });
    const ended = await github.people.completeSuite({
      repo: "acme/shop",
      sha,
      conclusion: "failure",
      log: "1 failed\n",
    });
    await github.settled();
    const events = receiver.received.map(
      ({ body, headers }) => `${String(headers["x-github-event"])}.${JSON.parse(body).action}`,
    );
    expect(events).toEqual(
      expect.arrayContaining(["workflow_run.requested", "check_suite.completed", "workflow_run.completed"]),
    );
    const jobs = await call(github, `GET /repos/acme/shop/actions/runs/${ended.id}/jobs`, token);
    expect(jobs.body["jobs"][0].conclusion).toBe("failure");
    const runs = await call(github, `GET /repos/acme/shop/commits/${sha}/check-runs`, token);
    expect(runs.body["check_runs"][0]).toMatchObject({ name: "test", conclusion: "failure" });
    github.assertClean();
  });

  it("sends a hook the commits of a push with the paths that they change", async () => {
    const owner = await github.people.createUserToken({ login: "ana" });
    const config = { url: receiver.url, content_type: "json" };
    await call(github, "POST /repos/acme/shop/hooks", owner, { config, events: ["push"] });
    const files = { "README.md": null, "src/a.txt": "1\n", "src/b.txt": "2\n" };
    const sha = await github.people.pushCommit({ as: "ana", repo: "acme/shop", branch: "paths", files });
    const delivery = receiver.received.findLast(({ headers }) => headers["x-github-event"] === "push")!;
    const touched = { added: ["src/b.txt"], removed: ["README.md"], modified: ["src/a.txt"] };
    const body = JSON.parse(delivery.body) as { commits: object[] };
    expect(body).toMatchObject({ ref: "refs/heads/paths", created: true, after: sha });
    expect(body.commits.at(-1)).toMatchObject({ id: sha, ...touched });
  });

  it("starts no checks for a commit that ends in the trailer skip-checks: true", async () => {
    const dir = await clone("skipper");
    const sha = await push(dir, "quiet", "Do it\n\n\nskip-checks: true", token);
    expect(await github.people.checkSuites({ repo: "acme/shop", sha })).toEqual([]);
  });

  it("refuses a push with a read-only token or with a token for another repository", async () => {
    await github.people.createRepo({ repo: "acme/other", files: { a: "a" } });
    const reader = await github.people.createInstallationToken({ installation, permissions: { contents: "read" } });
    const dir = await clone("reader");
    await expect(push(dir, "no", "No", reader)).rejects.toThrow(/403/);
    const elsewhere = await github.people.createInstallationToken({ installation, repositories: ["other"] });
    await expect(git(["ls-remote", "origin"], elsewhere, dir)).rejects.toThrow(/not found/i);
    expect(github.gitCalls.at(-1)).toMatchObject({ status: 404 });
  });

  it("refuses workflow files from an App without that permission, and its pushes to a protected branch", async () => {
    const dir = await clone("guarded");
    await git(["config", "core.hooksPath", "/dev/null"], undefined, dir);
    const workflows = join(dir, ".github", "workflows");
    await run("mkdir", ["-p", workflows]);
    await expect(push(dir, "ci", "CI", token, ".github/workflows/ci.yml")).rejects.toThrow(
      /without `workflows` permission/,
    );
    await github.people.protectBranch({ repo: "acme/shop", branch: "main" });
    await git(["checkout", "--quiet", "main"], undefined, dir);
    writeFileSync(join(dir, "x"), "x");
    await git(["add", "x"], undefined, dir);
    await git(["commit", "--quiet", "-m", "x"], undefined, dir);
    await expect(git(["push", "origin", "main"], token, dir)).rejects.toThrow(/GH006/);
    const branch = await call(github, "GET /repos/acme/shop/branches/main", token);
    expect(branch.body["protected"]).toBe(true);
    await github.people.protectBranch({ repo: "acme/shop", branch: "main", on: false });
  });

  it("refuses pushes that a ruleset or push protection forbids, except from an App that may bypass the ruleset", async () => {
    const dir = await clone("ruled");
    await git(["config", "core.hooksPath", "/dev/null"], undefined, dir);
    const closed = { repo: "acme/shop", name: "Closed", prefix: "closed/", rule: { type: "creation" } } as const;
    await github.people.addRuleset(closed);
    await expect(push(dir, "closed/1", "A", token, "a.txt")).rejects.toThrow(
      /GH013[^]*Cannot create ref due to creations being restricted/,
    );
    await github.people.addRuleset({ ...closed, prefix: "open/", bypass: [github.app("bellhop").id] });
    await push(dir, "open/1", "A", token, "a.txt");
    await github.people.protectSecret({ repo: "acme/shop", secret: "leaked-secret" });
    await expect(push(dir, "leaked-secret", "A", token, "a.txt")).rejects.toThrow(/Push cannot contain secrets/);
  });

  it("updates refs/pull/<n>/head of the base repository when a fork's branch is pushed", async () => {
    await github.people.createUser({ login: "zoe" });
    await github.people.setPermission({ repo: "acme/shop", login: "zoe", role: "read" });
    await github.people.fork({ repo: "acme/shop", into: "zoe" });
    await github.people.pushCommit({ as: "zoe", repo: "zoe/shop", branch: "mine", files: { "z.txt": "z" } });
    const made = await github.people.openPullRequest({ as: "zoe", repo: "acme/shop", title: "Z", head: "zoe:mine" });
    receiver.received.length = 0;
    const moved = await github.people.pushCommit({
      as: "zoe",
      repo: "zoe/shop",
      branch: "mine",
      files: { "z.txt": "zz" },
    });
    expect(receiver.received.map(({ body }) => JSON.parse(body))).toContainEqual(
      expect.objectContaining({ action: "synchronize", number: made.number, after: moved }),
    );
    const head = await git(["ls-remote", `${github.url}/acme/shop.git`, `refs/pull/${made.number}/head`], token);
    expect(head).toContain(moved);
    await github.people.mergePullRequest({ as: "ana", repo: "acme/shop", number: made.number });
    const after = await call(github, `GET /repos/acme/shop/pulls/${made.number}`, token);
    expect(after.body).toMatchObject({ merged: true, state: "closed", head: { repo: { fork: true } } });
    await github.people.deleteRepo({ repo: "zoe/shop" });
    expect((await call(github, `GET /repos/acme/shop/pulls/${made.number}`, token)).body["head"].repo).toBeNull();
    github.assertClean();
  });
});
