import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pods } from "../../src/kube/resources.ts";
import { eventually } from "../cluster/namespace.ts";
import { failing } from "../providers/github/index.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { anIssue, gitAt, reasonOf, threadOn, type Thread } from "../integration/journey/world/thread.ts";
import { aTeam, changeProfile, gated } from "../integration/journey/world/team.ts";

describe.concurrent("unusual repositories and pull requests", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(async () => {
    await world?.close();
  });

  it("works in an empty repository", async () => {
    const team = await aTeam(world, "empty", { files: null });
    const thread = await anIssue(team);
    const task = await thread.reported(await thread.ask("please begin"));
    expect(reasonOf(task)).toBe("Published");
    const { branch = "", commit = "" } = task.status?.result ?? {};
    expect(gitAt(team, team.repo, "rev-parse", branch)).toBe(commit);
    expect(gitAt(team, team.repo, "rev-list", "--count", commit)).toBe("1");
  });

  it("works in a repository of 10,000 files and changes one of them", async () => {
    const team = await aTeam(world, "huge", { files: null });
    fillWith10kFiles(world.github.gitDir(team.repo));
    const thread = await anIssue(team);
    const task = await thread.reported(await thread.ask("please fix this"));
    expect(reasonOf(task)).toBe("Published");
    const { commit = "" } = task.status?.result ?? {};
    expect(gitAt(team, team.repo, "diff", "--name-status", `${commit}^`, commit)).toBe("A\tbellhop-note.md");
  });

  it("does nothing for a repository that is deleted before work begins", async () => {
    const team = await aTeam(world, "vanishing");
    const { github } = world;
    const thread = await anIssue(team);
    const late = github.fail(
      { method: "GET", path: /^\/repos\/vanishing\/shop\/issues\/comments\// },
      failing.slow(2_000),
    );
    const commentId = await thread.ask("please fix this");
    await github.people.deleteRepo({ repo: team.repo });
    const task = await thread.until(commentId, "the work to end", ({ status }) => status?.completionTime !== undefined);
    late.stop();
    expect(task.status?.phase).toBe("Refused");
    expect(task.status?.attempts ?? []).toEqual([]);
  });

  it("reports within minutes that a repository was deleted while the agent worked, and removes the sandbox", async () => {
    const gate = join(world.folder, "deleted");
    const team = await aTeam(world, "deleted", { profile: { agent: gated(gate) } });
    const thread = await anIssue(team);
    const commentId = await thread.ask("please fix this");
    await thread.until(commentId, "the work to run", ({ status }) => status?.phase === "Running");
    await world.github.people.deleteRepo({ repo: team.repo });
    await writeFile(gate, "");
    const task = await thread.until(commentId, "the work to end", ({ status }) => status?.completionTime !== undefined);
    expect(reasonOf(task)).toBe("RepositoryGone");
    await eventually(async () => (await world.client.list(pods, { namespace: team.namespace })).items.length === 0, {
      describe: "the sandbox to be gone",
      timeoutMs: 30_000,
    });
  });

  it("chooses another name if the branch exists, and does not change the existing branch", async () => {
    const team = await aTeam(world, "taken");
    const thread = await anIssue(team);
    const theirs = await world.github.people.pushCommit({
      repo: team.repo,
      as: "ana",
      branch: `bellhop/${thread.number}-say-hello-in-the-readme`,
      files: { "mine.txt": "mine\n" },
    });
    const task = await thread.reported(await thread.ask("please fix this"));
    expect(reasonOf(task)).toBe("Published");
    const { branch = "" } = task.status?.result ?? {};
    expect(branch).toMatch(new RegExp(`^bellhop/${thread.number}-say-hello-in-the-readme-\\w+$`));
    expect(gitAt(team, team.repo, "rev-parse", `bellhop/${thread.number}-say-hello-in-the-readme`)).toBe(theirs);
  });

  it("begins a new branch and a new pull request if somebody closed the first", async () => {
    const team = await aTeam(world, "closing");
    const thread = await anIssue(team);
    const first = await thread.reported(await thread.ask("please fix this"));
    await world.github.people.closePullRequest({ repo: team.repo, as: "ana", number: changeOf(first) });
    const second = await thread.reported(await thread.ask("please fix this another way"));
    expect(reasonOf(second)).toBe("Published");
    expect(second.status?.result?.branch).not.toBe(first.status?.result?.branch);
    expect((await thread.pulls()).map(({ state }) => state)).toEqual(["closed", "open"]);
  });

  it("never overwrites a commit that a person pushed to the branch meanwhile, and reports it", async () => {
    const { change, commentId, gate } = await atWorkOnAChange("pushed-to");
    const { repo, team } = change;
    const { head } = await theChange(change);
    const theirs = await world.github.people.pushCommit({
      repo,
      as: "bob",
      branch: head.ref,
      files: { "bob.txt": "bob\n" },
    });
    await writeFile(gate, "");
    const task = await change.reported(commentId);
    expect(task.status?.phase).toBe("Failed");
    expect(gitAt(team, repo, "rev-parse", head.ref)).toBe(theirs);
    expect((await change.botComments()).at(-1)?.body).toContain(head.ref);
  });

  it("continues with a pull request that was moved to another base meanwhile", async () => {
    const { change, commentId, gate } = await atWorkOnAChange("retargeted");
    const { repo, number, team } = change;
    await world.github.people.pushCommit({ repo, as: "bob", branch: "next", files: { "next.txt": "next\n" } });
    await world.github.people.retarget({ repo, as: "bob", number, base: "next" });
    await writeFile(gate, "");
    const task = await change.reported(commentId);
    expect(task.status).toMatchObject({ phase: "Succeeded", result: { changeNumber: number } });
    const pull = await theChange(change);
    expect(pull).toMatchObject({ base: { ref: "next" }, head: { sha: gitAt(team, repo, "rev-parse", pull.head.ref) } });
    expect(await change.pulls()).toHaveLength(1);
  });

  it("stacks its pull request on a fork's, and pushes nothing to the fork", async () => {
    const team = await aTeam(world, "forked");
    const { people } = world.github;
    const fork = await people.fork({ repo: team.repo, into: "bob" });
    const forked = `bob/${fork.name}`;
    const theirs = await people.pushCommit({ repo: forked, as: "bob", branch: "feature", files: { "f.txt": "f\n" } });
    const { number } = await people.openPullRequest({
      repo: team.repo,
      as: "bob",
      title: "Feature",
      head: "bob:feature",
    });
    const change = threadOn(team, number);
    const task = await change.reported(await change.ask("please finish this"));
    expect(task.status).toMatchObject({ phase: "Succeeded", checkout: { stacked: true, headSHA: theirs } });
    expect(gitAt(team, team.repo, "rev-parse", `${task.status?.result?.branch}^`)).toBe(theirs);
    expect(gitAt(team, forked, "rev-parse", "feature")).toBe(theirs);
    const ours = (await change.pulls()).at(-1);
    expect(ours?.number).not.toBe(number);
    expect(ours?.body).toContain(`On top of #${number}.`);
  });

  /** A task on a pull request of ours, whose agent waits until the test opens its gate. */
  async function atWorkOnAChange(org: string): Promise<{ change: Thread; commentId: string; gate: string }> {
    const gate = join(world.folder, org);
    const team = await aTeam(world, org);
    const issue = await anIssue(team);
    const first = await issue.reported(await issue.ask("please fix this"));
    await changeProfile(team, { agent: gated(gate) });
    const change = threadOn(team, changeOf(first));
    const commentId = await change.ask("and that");
    await change.until(commentId, "the work on the change to run", ({ status }) => status?.phase === "Running");
    return { change, commentId, gate };
  }

  async function theChange(change: Thread) {
    const [pull] = await change.pulls();
    if (!pull) throw new Error("the pull request is gone");
    return pull;
  }

  function changeOf({
    status,
  }: {
    status?: { result?: { changeNumber?: number | undefined } | undefined } | undefined;
  }): number {
    return status?.result?.changeNumber ?? 0;
  }
});

/** One commit of 10,000 files, in one process: the stand-in needs half a minute to add them one at a time. */
function fillWith10kFiles(gitDir: string): void {
  const files = Array.from({ length: 10_000 }, (_, i) => {
    const content = `${i}\n`;
    return `M 100644 inline d${i % 97}/s${i % 11}/file-${i}.txt\ndata ${content.length}\n${content}`;
  });
  const commit = "commit refs/heads/main\ncommitter ana <ana@example.com> 0 +0000\ndata 5\nFirst\n";
  execFileSync("git", ["-C", gitDir, "fast-import", "--quiet"], { input: commit + files.join("") });
}
