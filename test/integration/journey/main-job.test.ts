import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../../providers/github/testing.ts";
import { startWorld, type World } from "./world.ts";

describe("the main job, on the process node", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  }, 120_000);
  afterAll(() => world?.close());

  it("turns a mention into a branch, a draft pull request and one message that tells the story", async () => {
    const { github } = world;
    const issue = await github.people.openIssue({
      repo: "acme/shop",
      as: "ana",
      title: "Say hello in the README",
      body: "It only says Shop.",
    });
    const asked = { repo: "acme/shop", number: issue.number, as: "ana", body: "@bellhop please fix this" };
    await github.people.comment(asked);
    const task = await world.task(
      (found) => found.status?.conditions?.some(({ type }) => type === "Reported") ?? false,
      "the task to be reported",
    );

    expect(task.status).toMatchObject({
      phase: "Succeeded",
      result: { branch: `bellhop/${issue.number}-say-hello-in-the-readme` },
    });
    const { branch = "", commit, changeNumber } = task.status?.result ?? {};
    const tip = execFileSync("git", ["-C", github.gitDir("acme/shop"), "rev-parse", branch], {
      encoding: "utf8",
    }).trim();
    expect(tip).toBe(commit);
    const message = execFileSync("git", ["-C", github.gitDir("acme/shop"), "log", "-1", "--format=%B", branch], {
      encoding: "utf8",
    });
    expect(message).toMatch(/^Co-authored-by: ana </m);
    expect(message).toMatch(/^skip-checks: true$/m);

    const token = await github.people.createUserToken({ login: "ana" });
    const pull = await call(github, `GET /repos/acme/shop/pulls/${changeNumber}`, token);
    expect(pull.body).toMatchObject({ draft: true, state: "open", user: { login: "bellhop[bot]" } });
    expect(pull.body["body"]).toMatch(new RegExp(`^Fixes #${issue.number}$`, "m"));
    expect(pull.body["body"]).toContain(`approve ${commit?.slice(0, 7)}`);

    const comments = await call(github, `GET /repos/acme/shop/issues/${issue.number}/comments`, token);
    const ours = (comments.body as unknown as { user: { login: string }; body: string }[]).filter(
      ({ user }) => user.login === "bellhop[bot]",
    );
    expect(ours).toHaveLength(1);
    console.log(ours[0]?.body, "\n=====\n", pull.body["body"], "\n=====\n", message);
    expect(ours[0]?.body).toMatch(/^\*\*Done\*\* after .*asked by @ana · pull request #\d+/);
    expect(ours[0]?.body).toContain("Added bellhop-note.md");
    github.assertClean();
  });
});
