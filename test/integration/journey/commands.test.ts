import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../cluster/namespace.ts";
import { isAlive } from "../../cluster/process-node/testing.ts";
import { startWorld, type World } from "./world/index.ts";
import { agentOf } from "./world/sandbox.ts";
import { anIssue, gitAt, isReported, reasonOf, threadOn, taskThat } from "./world/thread.ts";
import { aTeam, changeProfile, gated } from "./world/team.ts";

describe.concurrent("comments to the bot", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(async () => {
    await world?.close();
  });

  it("stop running work, report its status, retry it, and continue it", async () => {
    const team = await aTeam(world, "stopping", { profile: { agent: gated(join(world.folder, "never")) } });
    const thread = await anIssue(team);
    const asked = await thread.ask("please fix this");
    const running = await thread.until(asked, "the work to run", ({ status }) => status?.phase === "Running");
    const agent = await agentOf(world, running);

    const stop = await thread.ask("stop");
    await eventually(() => !isAlive(agent), { describe: "the agent's end after stop", timeoutMs: 60_000 });
    expect(reasonOf(await thread.reported(asked))).toBe("Cancelled");
    await thread.reported(stop);
    expect(
      world.github.gitCalls.flatMap(({ repository, updates }) => (repository === thread.repo ? updates : [])),
    ).toEqual([]);
    expect((await thread.botComments()).map(({ body }) => body)).toEqual([expect.stringContaining("**Stopped")]);

    await thread.reported(await thread.ask("status"));
    expect((await thread.botComments()).at(-1)?.body).toContain("Cancelled");

    await changeProfile(team, {});
    await thread.reported(await thread.ask("retry"));
    const again = await taskThat(
      team,
      "the retried work",
      (task) => task.spec.retryOf !== undefined && isReported(task),
    );
    expect(again.spec.prompt).toBe(running.spec.prompt);
    expect((await thread.botComments()).at(-1)?.body).toMatch(
      /asked by @ana: \[“retry”\]\(\S+\) of \[“please fix this”\]\(\S+\)$/m,
    );
    expect(again.status).toMatchObject({ phase: "Succeeded", result: { changeNumber: expect.any(Number) as number } });

    await thread.reported(await thread.ask("continue"));
    const further = await taskThat(
      team,
      "the continued work",
      (task) => task.spec.retryOf?.name === again.metadata.name && isReported(task),
    );
    expect(further.status?.result).toMatchObject({
      branch: again.status?.result?.branch,
      changeNumber: again.status?.result?.changeNumber,
    });
    expect(await thread.pulls()).toHaveLength(1);

    await thread.reported(await thread.ask("help"));
    expect((await thread.botComments()).at(-1)?.body).toContain(`\`${team.mention} stop\``);
  });

  it("release held checks after another person approved exactly that commit, and fix failed checks up to the limit", async () => {
    const team = await aTeam(world, "approving", { profile: { output: { fixLoops: 1 } } });
    const { people } = world.github;
    const issue = await anIssue(team);
    const first = await issue.reported(await issue.ask("please fix this"));
    const { commit = "", changeNumber = 0, branch = "" } = first.status?.result ?? {};
    const change = threadOn(team, changeNumber);
    const held = commit.slice(0, 7);
    expect(await people.checkSuites({ repo: team.repo, sha: commit })).toEqual([]);

    expect(reasonOf(await change.reported(await change.ask("approve 0123456", "bob")))).toBe("WrongCommit");
    expect(reasonOf(await change.reported(await change.ask(`approve ${held}`, "ana")))).toBe("RequesterMayNotApprove");
    expect(reasonOf(await change.reported(await change.ask(`approve ${held}`, "mallory")))).toBe("NotAuthorized");
    expect(gitAt(team, team.repo, "rev-parse", branch)).toBe(commit);

    expect(reasonOf(await change.reported(await change.ask(`approve ${held}`, "bob")))).toBe("Approved");
    const [approved] = await issue.pulls();
    expect(approved?.body).toContain(`@bob has approved \`${held}\``);
    expect(approved?.body).not.toContain("Checks are held");
    const released = gitAt(team, team.repo, "rev-parse", branch);
    expect(gitAt(team, team.repo, "rev-parse", `${released}^`, `${released}^{tree}`)).toBe(
      `${commit}\n${gitAt(team, team.repo, "rev-parse", `${commit}^{tree}`)}`,
    );
    expect(gitAt(team, team.repo, "log", "-1", "--format=%B", released)).not.toContain("skip-checks");
    expect(await people.checkSuites({ repo: team.repo, sha: released })).toHaveLength(1);

    await people.completeSuite({ repo: team.repo, sha: released, conclusion: "failure", log: "test 7 failed" });
    const fix = await taskThat(
      team,
      "the fix of the failed check",
      (task) => headOf(task) === released && isReported(task),
    );
    expect(fix.status).toMatchObject({
      phase: "Succeeded",
      requester: { login: "ana" },
      result: { branch, changeNumber },
    });
    expect(world.tasks.list(team.namespace).filter((task) => headOf(task) === released)).toHaveLength(1);
    expect((await change.botComments()).at(-1)?.body).toMatch(
      /^\*\*Done .* · after the failed check \[?“[^”]+”.*, for @ana$/m,
    );

    const fixed = fix.status?.result?.commit ?? "";
    await change.reported(await change.ask(`approve ${fixed.slice(0, 7)}`, "bob"));
    const second = gitAt(team, team.repo, "rev-parse", branch);
    await people.completeSuite({ repo: team.repo, sha: second, conclusion: "failure", log: "test 7 failed" });
    const last = await taskThat(team, "the end of the fixes", (task) => headOf(task) === second && isReported(task));
    expect(reasonOf(last)).toBe("FixLoopsExhausted");
    expect(gitAt(team, team.repo, "rev-parse", branch)).toBe(second);
  });

  it("continue on the same branch and pull request when somebody comments on it", async () => {
    const team = await aTeam(world, "following");
    const issue = await anIssue(team);
    const first = await issue.reported(await issue.ask("please fix this"));
    const change = threadOn(team, first.status?.result?.changeNumber ?? 0);
    const second = await change.reported(await change.ask("and say it in French, too", "bob"));
    const { branch = "", commit, changeNumber } = first.status?.result ?? {};
    expect(second.status).toMatchObject({
      conversation: expect.stringMatching(new RegExp(`^[0-9]+#${issue.number}$`)) as string,
      result: { branch, changeNumber },
    });
    expect(gitAt(team, team.repo, "rev-parse", `${branch}^`)).toBe(commit);
    const [pull, ...others] = await issue.pulls();
    expect(others).toEqual([]);
    expect(pull?.body).toMatch(new RegExp(`^Fixes #${issue.number}$`, "m"));
    expect(pull?.body).toContain(`approve ${second.status?.result?.commit?.slice(0, 7)}`);
    expect(pull?.body).not.toContain(commit?.slice(0, 7));
    expect(await change.botComments()).toHaveLength(1);
  });

  it("make a second task of a conversation wait, and start it from the branch of the first", async () => {
    const gate = join(world.folder, "first-of-two");
    const team = await aTeam(world, "queueing", { profile: { agent: gated(gate) } });
    const thread = await anIssue(team);
    const one = await thread.ask("please fix this");
    await thread.until(one, "the first to run", ({ status }) => status?.phase === "Running");
    const two = await thread.ask("and that", "bob");
    const waiting = await thread.until(two, "the second to wait", ({ status }) => status?.queue !== undefined);
    expect(waiting.status?.phase).toBe("Queued");
    const queued =
      /^\*\*Queued\*\*, 1 ahead · asked by @bob: \[“and that”\]\(.*\n\nOne task of a conversation runs at a time\.$/m;
    await eventually(async () => (await thread.botComments()).some(({ body }) => queued.test(body)), {
      describe: "the second's report to say that it is queued",
    });
    await writeFile(gate, "");
    const first = await thread.reported(one);
    const second = await thread.reported(two);
    expect(second.status?.result).toMatchObject({
      branch: first.status?.result?.branch,
      changeNumber: first.status?.result?.changeNumber,
    });
    expect(second.status?.checkout?.headSHA).toBe(first.status?.result?.commit);
    expect(await thread.botComments()).toHaveLength(2);
    expect(await thread.pulls()).toHaveLength(1);
  });

  it("run in the order of receipt if they arrive at once, each from the branch of the previous task", async () => {
    const team = await aTeam(world, "ordering");
    const thread = await anIssue(team);
    const commentIds = [
      await thread.ask("please fix this"),
      await thread.ask("and that", "bob"),
      await thread.ask("and those"),
    ];
    const tasks = await Promise.all(commentIds.map((one) => thread.reported(one)));
    const receivedMs = ({ spec }: (typeof tasks)[number]): number => Date.parse(spec.source.receivedAt ?? "");
    const [first, second, third] = tasks.toSorted((a, b) => receivedMs(a) - receivedMs(b));
    expect([second, third].map((task) => task?.status?.checkout?.headSHA)).toEqual([
      first?.status?.result?.commit,
      second?.status?.result?.commit,
    ]);
  });

  it("are not required: a label on an issue creates a task too", async () => {
    const team = await aTeam(world, "labelling");
    const thread = await anIssue(team);
    await world.github.people.label({ repo: team.repo, number: thread.number, as: "bob", label: "bellhop" });
    const task = await taskThat(team, "the work that the label asked for to be reported", isReported);
    expect(task).toMatchObject({
      spec: { source: { trigger: "label" }, actor: { login: "bob" } },
      status: { phase: "Succeeded" },
    });
    const [ours, ...others] = await thread.botComments();
    expect(others).toEqual([]);
    expect(ours?.body).toContain("asked by @bob by the label “bellhop”");
  });

  function headOf({
    spec,
  }: {
    spec: { source: { object?: { headSHA?: string | undefined } | undefined } };
  }): string | undefined {
    return spec.source.object?.headSHA;
  }
});
