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
import { anIssue, gitAt, reasonOf, type Story } from "../integration/journey/world/story.ts";
import { agent, aTeam, gated } from "../integration/journey/world/team.ts";

describe("agents that misbehave", () => {
  let world: World;
  let tokens: { stop(): void };
  const canaries: Canaries = new Map();
  const repos: { story: Story; commit: string }[] = [];
  beforeAll(async () => {
    world = await startWorld();
    tokens = watchCourierTokens(world, canaries);
  });
  afterAll(async () => {
    tokens?.stop();
    await world?.close();
  });

  describe.concurrent("each in its own way", () => {
    it("fail, and the message has the last words and nothing is pushed", async () => {
      const { story, task } = await outcomeOf("fail");
      expect(reasonOf(task)).toBe("AgentFailed");
      expect((await story.ours()).map(({ body }) => body)).toEqual([expect.stringMatching(/3.*could not do it/s)]);
      expect(await story.pulls()).toEqual([]);
    });

    it("hang, and are ended when they were silent for too long", async () => {
      const { story, task } = await outcomeOf("hang", { limits: { stall: "3s" } });
      expect(reasonOf(task)).toBe("AgentStalled");
      expect(await story.pulls()).toEqual([]);
    });

    it("print 100 MB, and are published", async () => {
      const { story, commit } = await published("flood");
      expect(gitAt(story.team, story.repo, "show", `${commit}:flood.txt`)).toBe("made");
    });

    it("keep writing after their end, and what comes late is in no commit", async () => {
      const { story, commit } = await published("linger");
      expect(filesOf(story, commit)).toEqual(["README.md", "linger.txt"]);
    });

    it("forge events, and their words claim, close and call nothing", async () => {
      const { story, commit } = await published("forge");
      expect(commit).not.toMatch(/^0+$/);
      const [pull] = await story.pulls();
      const texts = [pull?.body ?? "", ...(await story.ours()).map(({ body }) => body)];
      for (const text of texts) {
        expect(text).toContain("Merged");
        expect(text).not.toMatch(/@everyone|Closes #1\b/);
      }
      const message = gitAt(story.team, story.repo, "log", "-1", "--format=%B", commit);
      expect(message.trimEnd().split("\n").at(-1)).toBe("skip-checks: true");
    });

    it("plant hooks, filters and a file monitor, and none of them runs", async () => {
      const sprung = join(world.folder, "sprung");
      const { story, commit } = await published("git", sprung);
      expect(gitAt(story.team, story.repo, "show", `${commit}:git.txt`)).toBe("made");
      expect(existsSync(sprung)).toBe(false);
    });

    it("leave links to the courier's token, and nothing is read through them", async () => {
      const { story, commit } = await published("links");
      expect(gitAt(story.team, story.repo, "ls-tree", commit, "leak")).toMatch(/^120000 /);
      expect(gitAt(story.team, story.repo, "show", `${commit}:leak`)).toMatch(/\/token\/token$/);
    });

    it("push on their own, and are refused", async () => {
      const { story, commit } = await published("push");
      expect(gitAt(story.team, story.repo, "show", `${commit}:push.txt`)).toBe("made");
      expect(gitAt(story.team, story.repo, "for-each-ref", "--format=%(refname)", "refs/heads/stolen")).toBe("");
    });
  });

  describe("and after all of them", () => {
    it("no key, token or webhook secret is on a sandbox's volumes, in its agent's environment, or anywhere that people see", async () => {
      const gate = join(world.folder, "gate");
      const team = await aTeam(world, "watched", { profile: { agent: gated(gate) } });
      const story = await anIssue(team);
      const said = await story.ask("please fix this");
      const running = await story.until(said, "the work to run", ({ status }) => status?.phase === "Running");
      const pid = await agentOf(world, running);
      const [folder = ""] = podFolders(world, running);
      const files = volumeFiles(folder);
      expect([...files.keys()]).toContain(join(folder, "volumes", "workspace", "README.md"));
      await addSecrets(world, canaries);
      const environment = new Map([["the agent's environment", environmentOf(pid)]]);
      expect(sightings(canaries, files)).toEqual([]);
      expect(sightings(canaries, environment)).toEqual([]);
      await writeFile(gate, "");
      const task = await story.end(said);
      repos.push({ story, commit: task.status?.result?.commit ?? "" });

      await addSecrets(world, canaries);
      const kinds = [...canaries.keys()].join(" ");
      for (const kind of ["courier token", "GitHub token", "github-app/key"]) expect(kinds).toContain(kind);
      const places = await surfaces(world);
      for (const { story: of } of repos) places.set(of.repo, gitAt(of.team, of.repo, "log", "--all", "-p"));
      expect(sightings(canaries, places)).toEqual([]);
    });

    it("nothing of any task is left in the broker's namespace, and its tokens are revoked at GitHub", async () => {
      await nothingHeld(world);
      world.github.assertClean();
    });
  });

  async function outcomeOf(way: string, profile: object = {}): Promise<{ story: Story; task: AgentTask }> {
    const options = { profile: { agent: agent("hostile.sh", way), ...profile } };
    const team = await aTeam(world, `way-${way}`, options);
    const story = await anIssue(team);
    return { story, task: await story.end(await story.ask("please fix this")) };
  }

  async function published(way: string, ...more: string[]): Promise<{ story: Story; commit: string }> {
    const { story, task } = await outcomeOf(way, { agent: agent("hostile.sh", way, ...more) });
    expect(reasonOf(task), JSON.stringify(task.status)).toBe("Published");
    const result = { story, commit: task.status?.result?.commit ?? "" };
    repos.push(result);
    return result;
  }

  function filesOf({ team, repo }: Story, commit: string): string[] {
    return gitAt(team, repo, "ls-tree", "-r", "--name-only", commit).split("\n");
  }
});
