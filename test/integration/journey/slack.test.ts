import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failing, type Option } from "../../providers/slack/index.ts";
import { shownText } from "../../providers/slack/see.ts";
import { aSlackTeam, type SlackTeam } from "./world/slack.ts";
import { aTeam, type Team } from "./world/team.ts";
import { startWorld, type World } from "./world/index.ts";
import { gitAt, taskThat, threadOn, type Pull } from "./world/thread.ts";

const names = (options: Option[]): string[] => options.map(({ value }) => value);

describe("from a thread in Slack to a pull request at GitHub", () => {
  let world: World;
  let team: Team;
  let workspace: SlackTeam;
  beforeAll(async () => {
    world = await startWorld();
    team = await aTeam(world, "acme");
    // The menu offers public repositories everywhere, and private ones only in the channel that they are mapped to.
    await world.github.people.createRepo({ repo: "acme/till", private: false, files: { "README.md": "# Till\n" } });
    await world.github.people.createRepo({ repo: "acme/vault", private: true, files: { "README.md": "# Vault\n" } });
    workspace = await aSlackTeam(team, { ofSecret: ["acme/vault", "acme/shop"] });
  });
  afterAll(() => world?.close());

  it("asks the requester for the repository, goes on with the choice, and keeps one message up to date", async () => {
    const { ana, bob, channel, untilReport, botMessages, questionTo, personalQuestion } = workspace;
    const { slack } = world;
    const request = await ana.mentions(channel, "please say hello in the README");
    const question = await untilReport(request, "the question for the repository", (report) =>
      shownText(report).includes("Which repository is this about?"),
    );
    const lost = await personalQuestion(request, ana);
    expect(botMessages(request).map(({ ts }) => ts)).toEqual([question.ts]);
    expect(questionTo(request, bob)).toBeUndefined();

    // The client forgets the message with the menu; the button of the report asks for it again, also after a restart.
    await ana.reloads();
    expect(questionTo(request, ana)).toBeUndefined();
    await world.kill("operator");
    await world.start("operator");
    await ana.clicks(question, "bellhop/choose");
    const menu = await personalQuestion(request, ana);
    expect(menu.ts).not.toBe(lost.ts);

    // The gateway answers from the published index. Nobody here reads the names of private repositories that are mapped to another channel.
    expect(names(await ana.types(menu, "bellhop/use", ""))).toEqual(["acme/till"]);
    expect(names(await ana.types(menu, "bellhop/use", "TIL"))).toEqual(["acme/till"]);
    for (const typed of ["vault", "acme", "acme/vault"])
      expect(names(await ana.types(menu, "bellhop/use", typed))).not.toContain("acme/vault");
    expect(JSON.stringify([botMessages(request), lost, menu])).not.toContain("acme/vault");
    slack.fail({ method: "chat.update" }, failing.rateLimited(1), { times: 2 });

    const [till] = await ana.types(menu, "bellhop/use", "till");
    await ana.picks(menu, "bellhop/use", till ?? "");

    const report = await untilReport(request, "the final report", (seen) => shownText(seen).includes("Done in"));
    const pulls = await team.read<Pull[]>("/repos/acme/till/pulls?state=all");
    expect(pulls).toHaveLength(1);
    expect(pulls[0]).toMatchObject({ draft: true, user: { login: team.bot } });
    expect(pulls[0]?.body).not.toMatch(/Fixes #/);
    expect(shownText(report)).toContain("Added bellhop-note.md");
    expect(report.ts).toBe(question.ts);

    // The request arrived as two events, and has one task, one report, and one reply that mentions the requester.
    const works = world.tasks.list(team.namespace).filter(({ spec }) => spec.command === undefined);
    expect(works).toHaveLength(1);
    expect(works[0]?.spec).toMatchObject({
      integrationRef: { kind: "SlackApp", name: "slack" },
      codeHostRef: { kind: "GitHubIntegration", name: "acme" },
    });
    expect(works[0]?.status).toMatchObject({ phase: "Succeeded", repository: { name: "till", from: "Answer" } });
    await expect.poll(() => botMessages(request).length, { timeout: 30_000 }).toBe(2);
    const [first, end, ...more] = botMessages(request);
    expect(more).toEqual([]);
    expect(first?.ts).toBe(question.ts);
    expect(JSON.stringify(end?.blocks)).toContain('"type":"user"');
    slack.assertClean();
    world.github.assertClean();
  });

  it("offers private repositories in the channel that they are mapped to, and refuses a choice that it did not offer", async () => {
    const { ana, secret, questionTo, personalQuestion, untilReport } = workspace;
    const request = await ana.mentions(secret, "please say hello");
    const menu = await personalQuestion(request, ana);
    expect(names(await ana.types(menu, "bellhop/use", ""))).toEqual(["acme/shop", "acme/vault", "acme/till"]);

    // A client can send any value.
    const forged = { text: { type: "plain_text", text: "other/repo" }, value: "other/repo" };
    await ana.picks(menu, "bellhop/use", forged);
    await expect.poll(() => questionTo(request, ana)?.ts, { timeout: 60_000 }).not.toBe(menu.ts);
    const again = questionTo(request, ana);
    expect(again && shownText(again)).toContain("The integration does not cover a repository other/repo.");

    await ana.clicks(await untilReport(request, "the report", () => true), "bellhop/stop");
    await taskThat(team, "the stopped request", ({ status }) => status?.phase === "Cancelled");
  });

  it("goes on at GitHub with the change of a thread: an approval, and a follow-up on its branch", async () => {
    const { ana, channel, untilReport } = workspace;
    const repo = "acme/stand";
    await world.github.people.createRepo({ repo, files: { "README.md": "# Stand\n" } });
    await world.github.people.setPermission({ repo, login: "bob", role: "write" });
    const request = await ana.mentions(channel, `please fix this\nRepository: ${repo}`);
    await untilReport(request, "the final report", (seen) => shownText(seen).includes("Done in"));
    const [pull] = await team.read<Pull[]>(`/repos/${repo}/pulls?state=all`);
    const work = await taskThat(team, "the work", ({ status }) => status?.repository?.name === "stand");
    const { commit = "", branch = "" } = work.status?.result ?? {};
    expect(pull).toMatchObject({ body: expect.stringContaining(`approve ${commit.slice(0, 7)}`) as string });
    const change = threadOn(team, pull?.number ?? 0, repo);

    const approval = await change.reported(await change.ask(`approve ${commit.slice(0, 7)}`, "bob"));
    expect(approval.status?.conditions?.find(({ type }) => type === "Succeeded")).toMatchObject({ reason: "Approved" });
    const released = gitAt(team, repo, "rev-parse", branch);
    expect(gitAt(team, repo, "rev-parse", `${released}^`)).toBe(commit);

    const followUp = await change.reported(await change.ask("and say it in French, too", "bob"));
    expect(followUp.status).toMatchObject({
      phase: "Succeeded",
      conversation: work.status?.conversation,
      conversationInstance: `${work.spec.source.instance} SlackApp/slack`,
      result: { branch, changeNumber: pull?.number },
      report: { target: `${repo}#${pull?.number}` },
    });
    expect(gitAt(team, repo, "rev-parse", `${branch}^`)).toBe(released);
    expect(await change.pulls()).toHaveLength(1);
    expect((await change.botComments()).at(-1)?.body).toContain("asked by @bob");
  });

  it("works at once in a repository that the request names, and takes follow-ups in the thread without a mention", async () => {
    const { ana, channel, untilReport, botMessages } = workspace;
    const request = await ana.mentions(channel, "please fix this\nRepository: acme/shop");
    await untilReport(request, "the final report", (seen) => shownText(seen).includes("Done in"));
    const before = botMessages(request).length;

    // The operator publishes live threads to the gateways shortly after the task is authorised.
    const status = async (): Promise<boolean> => {
      await ana.posts(channel, "status", { thread: request });
      return world.tasks.list(team.namespace).some(({ spec }) => spec.command === "status");
    };
    await expect.poll(status, { timeout: 60_000, interval: 500 }).toBe(true);
    await taskThat(
      team,
      "the answer to status",
      (task) => task.spec.command === "status" && task.status?.phase === "Succeeded",
    );
    expect(botMessages(request).length).toBeGreaterThanOrEqual(before);

    // Elsewhere an unmentioned message creates no task.
    const tasks = world.tasks.list(team.namespace).length;
    await ana.posts(channel, "stop");
    expect(world.tasks.list(team.namespace)).toHaveLength(tasks);
  });

  it("waits for somebody with write access before a private thread becomes public", async () => {
    const { ana, bob, secret, untilReport } = workspace;
    const repo = "acme/site";
    await world.github.people.createRepo({ repo, private: false, files: { "README.md": "# Site\n" } });
    await world.github.people.setPermission({ repo, login: "bob", role: "write" });
    const request = await ana.mentions(secret, `please fix this\nRepository: ${repo}`);
    const waiting = await untilReport(request, "the explanation", (seen) =>
      shownText(seen).includes("Only some people can read this thread, but acme/site is public"),
    );

    await ana.clicks(waiting, "bellhop/approve");
    await taskThat(
      team,
      "the refusal of ana's approval",
      ({ spec, status }) =>
        spec.command === "approve" &&
        status?.conditions?.some(({ reason }) => reason === "RequesterMayNotApprove") === true,
    );
    await bob.clicks(waiting, "bellhop/approve");

    await untilReport(request, "the final report", (seen) => shownText(seen).includes("Done in"));
    expect(await team.read<Pull[]>(`/repos/${repo}/pulls?state=all`)).toHaveLength(1);
  });
});
