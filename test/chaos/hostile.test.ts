import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentTask } from "../../src/api/kinds.ts";
import {
  addSecrets,
  nothingHeld,
  sightings,
  surfaces,
  volumeFiles,
  watchCourierTokens,
  type Canaries,
} from "../integration/journey/world/canaries.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { agentOf, environmentOf, podFolders } from "../integration/journey/world/sandbox.ts";
import { anIssue, gitAt, reasonOf, type Thread } from "../integration/journey/world/thread.ts";
import { agent, aTeam, gated } from "../integration/journey/world/team.ts";

describe("agents that misbehave", () => {
  let world: World;
  let tokens: { stop(): void };
  const canaries: Canaries = new Map();
  const repos: { thread: Thread; commit: string }[] = [];
  beforeAll(async () => {
    world = await startWorld();
    tokens = watchCourierTokens(world, canaries);
  });
  afterAll(async () => {
    tokens?.stop();
    await world?.close();
  });

  describe.concurrent("each in its own way", () => {
    it("fail, and the report has their last output and nothing is pushed", async () => {
      const { thread, task } = await outcomeOf("fail");
      expect(reasonOf(task)).toBe("AgentFailed");
      expect((await thread.botComments()).map(({ body }) => body)).toEqual([
        expect.stringMatching(/3.*could not do it/s),
      ]);
      expect(await thread.pulls()).toEqual([]);
    });

    it("hang, and are ended after the stall limit", async () => {
      const { thread, task } = await outcomeOf("hang", { limits: { stall: "3s" } });
      expect(reasonOf(task)).toBe("AgentStalled");
      expect(await thread.pulls()).toEqual([]);
    });

    it("print 100 MB, and are published", async () => {
      const { thread, commit } = await published("flood");
      expect(gitAt(thread.team, thread.repo, "show", `${commit}:flood.txt`)).toBe("made");
    });

    it("keep writing after their end, and late writes are in no commit", async () => {
      const { thread, commit } = await published("linger");
      expect(filesOf(thread, commit)).toEqual(["README.md", "linger.txt"]);
    });

    it("forge events: their text is published, but it closes no issue and mentions nobody", async () => {
      const { thread, commit } = await published("forge");
      expect(commit).not.toMatch(/^0+$/);
      const [pull] = await thread.pulls();
      const texts = [pull?.body ?? "", ...(await thread.botComments()).map(({ body }) => body)];
      for (const text of texts) {
        expect(text).toContain("Merged");
        expect(text).not.toMatch(/@everyone|Closes #1\b/);
      }
      const message = gitAt(thread.team, thread.repo, "log", "-1", "--format=%B", commit);
      expect(message.trimEnd().split("\n").at(-1)).toBe("skip-checks: true");
    });

    it("plant hooks, filters and a file monitor, and none of them runs", async () => {
      const sprung = join(world.folder, "sprung");
      const { thread, commit } = await published("git", sprung);
      expect(gitAt(thread.team, thread.repo, "show", `${commit}:git.txt`)).toBe("made");
      expect(existsSync(sprung)).toBe(false);
    });

    it("leave links to the courier's token, and nothing is read through them", async () => {
      const { thread, commit } = await published("links");
      expect(gitAt(thread.team, thread.repo, "ls-tree", commit, "leak")).toMatch(/^120000 /);
      expect(gitAt(thread.team, thread.repo, "show", `${commit}:leak`)).toMatch(/\/token\/token$/);
    });

    it("push without permission, and are refused", async () => {
      const { thread, commit } = await published("push");
      expect(gitAt(thread.team, thread.repo, "show", `${commit}:push.txt`)).toBe("made");
      expect(gitAt(thread.team, thread.repo, "for-each-ref", "--format=%(refname)", "refs/heads/stolen")).toBe("");
    });
  });

  describe("and after all of them", () => {
    it("no key, token or webhook secret is on a sandbox's volumes, in its agent's environment, or anywhere that people see", async () => {
      const gate = join(world.folder, "gate");
      const team = await aTeam(world, "watched", { profile: { agent: gated(gate) } });
      const thread = await anIssue(team);
      const commentId = await thread.ask("please fix this");
      const running = await thread.until(commentId, "the work to run", ({ status }) => status?.phase === "Running");
      const pid = await agentOf(world, running);
      const [folder = ""] = podFolders(world, running);
      const files = volumeFiles(folder);
      expect([...files.keys()]).toContain(join(folder, "volumes", "workspace", "README.md"));
      await addSecrets(world, canaries);
      const environment = new Map([["the agent's environment", environmentOf(pid)]]);
      expect(sightings(canaries, files)).toEqual([]);
      expect(sightings(canaries, environment)).toEqual([]);
      await writeFile(gate, "");
      const task = await thread.reported(commentId);
      repos.push({ thread, commit: task.status?.result?.commit ?? "" });

      await addSecrets(world, canaries);
      const kinds = [...canaries.keys()].join(" ");
      for (const kind of ["courier token", "GitHub token", "github-app/key"]) expect(kinds).toContain(kind);
      const places = await surfaces(world);
      for (const { thread: of } of repos) places.set(of.repo, gitAt(of.team, of.repo, "log", "--all", "-p"));
      expect(sightings(canaries, places)).toEqual([]);
    });

    it("nothing of any task is left in the broker's namespace, and its tokens are revoked at GitHub", async () => {
      await nothingHeld(world);
      world.github.assertClean();
    });
  });

  async function outcomeOf(way: string, profile: object = {}): Promise<{ thread: Thread; task: AgentTask }> {
    const options = { profile: { agent: agent("hostile.sh", way), ...profile } };
    const team = await aTeam(world, `way-${way}`, options);
    const thread = await anIssue(team);
    return { thread, task: await thread.reported(await thread.ask("please fix this")) };
  }

  async function published(way: string, ...more: string[]): Promise<{ thread: Thread; commit: string }> {
    const { thread, task } = await outcomeOf(way, { agent: agent("hostile.sh", way, ...more) });
    expect(reasonOf(task), JSON.stringify(task.status)).toBe("Published");
    const result = { thread, commit: task.status?.result?.commit ?? "" };
    repos.push(result);
    return result;
  }

  function filesOf({ team, repo }: Thread, commit: string): string[] {
    return gitAt(team, repo, "ls-tree", "-r", "--name-only", commit).split("\n");
  }
});
