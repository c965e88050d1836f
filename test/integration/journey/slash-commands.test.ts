import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentTask } from "../../../src/api/kinds.ts";
import { failing, type SeenMessage } from "../../providers/slack/index.ts";
import { shownText } from "../../providers/slack/see.ts";
import { eventually } from "../../cluster/namespace.ts";
import { startWorld, type World } from "./world/index.ts";
import { aSlackTeam, type SlackTeam } from "./world/slack.ts";
import { aTeam, type Team } from "./world/team.ts";
import { taskThat } from "./world/thread.ts";

const isCommand = ({ spec }: AgentTask): boolean => spec.command !== undefined;
const isReported = ({ status }: AgentTask): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === "Reported" && is !== "Unknown") ?? false;

describe("/bellhop in a channel", () => {
  let world: World;
  let team: Team;
  let workspace: SlackTeam;
  beforeAll(async () => {
    world = await startWorld();
    team = await aTeam(world, "acme");
    // With two repositories a request that names none waits for an answer.
    await world.github.people.createRepo({ repo: "acme/till", private: false, files: { "README.md": "# Till\n" } });
    workspace = await aSlackTeam(team);
    await world.slack.people.createChannel({ name: "far", members: ["ana", "bob"] });
  });
  afterAll(() => world?.close());

  /** The answers that only this person sees in the channel, without the questions for a repository. */
  const answersTo = (name: string): SeenMessage[] =>
    world.slack
      .messages("shop", { as: name })
      .filter(
        ({ author, ephemeral, blocks }) =>
          author === "bellhop" && ephemeral && !JSON.stringify(blocks).includes('"bellhop/use"'),
      );
  /** Uses the command, and waits for the answer that follows the immediate one. */
  async function say(name: "ana" | "bob", text: string): Promise<{ first: string | undefined; answer: string }> {
    const before = answersTo(name).length;
    const { status } = await workspace[name].command("shop", "/bellhop", text);
    expect(status).toBe(200);
    const second = await eventually(() => answersTo(name)[before + 1], {
      describe: `the answer to ${text}`,
      timeoutMs: 60_000,
    });
    return { first: answersTo(name)[before]?.shown, answer: second.shown };
  }
  const works = (): AgentTask[] => world.tasks.list(team.namespace).filter(({ spec }) => spec.command === undefined);
  const waiting = (text: string): Promise<AgentTask> =>
    taskThat(
      team,
      `the request ${text}`,
      ({ status: now }) =>
        now?.phase === "WaitingForInput" && now.report?.quote === text && now.report.url !== undefined,
    );

  it("answers status and stop to the person who asked, and nobody else", async () => {
    expect((await say("ana", "status")).answer).toContain("No request of this channel is unfinished");
    await workspace.ana.command("shop", "/bellhop", "paint it red");
    await workspace.bob.mentions("shop", "paint it blue");
    const [red, blue] = [await waiting("paint it red"), await waiting("paint it blue")];
    expect(red.status?.report?.conversation).toBe(
      `${red.spec.source.instance}/${red.spec.source.channel}/${red.status?.report?.id}`,
    );

    const seenByBob = answersTo("bob").length;
    const { first, answer } = await say("ana", "status");
    expect(first).toBe("The answer follows: only you will see it.");
    expect(answer).toContain("Unfinished requests of this channel: 2.");
    expect(answer).toMatch(/paint it blue[^]*paint it red/);
    expect(answer).toContain(blue.metadata.name);
    // The event of bob's mention has only his id; the name is read at Slack.
    expect(answer).toContain("by @bob");
    expect(blue.spec.actor.login).toBe(blue.spec.actor.id);
    expect(blue.status?.requester).toEqual({ id: blue.spec.actor.id, login: "bob" });
    expect(answersTo("bob")).toHaveLength(seenByBob);

    expect((await say("ana", "stop")).answer).toContain(`Asked ${red.metadata.name} to stop.`);
    await taskThat(
      team,
      "the end",
      ({ metadata, status }) => metadata.name === red.metadata.name && status?.phase === "Cancelled",
    );
    expect((await say("ana", "stop")).answer).toContain("You have no unfinished request in this channel.");
    // The number is that of the list that ana saw, although her own request has ended since.
    // Four commands have two answers each, although the cache of the operator may be behind, and the request has the immediate one.
    expect(answersTo("ana")).toHaveLength(9);
    expect((await say("ana", "stop 1")).answer).toContain(`Asked ${blue.metadata.name} to stop.`);
  });

  it("lists several requests of the person, and stops the one that is chosen in the thread of its report", async () => {
    await workspace.ana.command("shop", "/bellhop", "sort the shelves");
    await workspace.ana.command("shop", "/bellhop", "sweep the floor");
    const [shelves, floor] = [await waiting("sort the shelves"), await waiting("sweep the floor")];
    const { answer } = await say("ana", "stop");
    expect(answer).toContain("Say which one to stop");
    expect(answer).toMatch(/sweep the floor[^]*sort the shelves/);
    await workspace.ana.mentions("shop", "stop", { thread: shelves.status?.report?.id ?? "" });
    await taskThat(
      team,
      "the end of the request that was stopped in its thread",
      ({ metadata, status }) => metadata.name === shelves.metadata.name && status?.phase === "Cancelled",
    );
    expect((await say("ana", `stop ${floor.metadata.name}`)).answer).toContain(`Asked ${floor.metadata.name} to stop.`);
  });

  it("loses no answer if Slack and the operator fail meanwhile", async () => {
    // An answer that was shown, but not recorded before the operator is killed, is shown again.
    await eventually(() => world.tasks.list(team.namespace).every((task) => !isCommand(task) || isReported(task)), {
      describe: "the earlier answers to be recorded",
      timeoutMs: 60_000,
    });
    const attempts = (): number => world.slack.calls("chat.postEphemeral").length;
    const before = attempts();
    world.slack.fail({ method: "chat.postEphemeral" }, failing.error("fatal_error"), { times: 1 });
    const answer = say("ana", "status");
    await eventually(() => attempts() > before, { describe: "the first attempt", timeoutMs: 60_000 });
    await world.kill("operator");
    await world.start("operator");
    expect((await answer).answer).toContain("requests of this channel");
  });

  it("starts nothing in a channel without the bot, and says so to the person in a direct message", async () => {
    const before = works().length;
    const { answer } = await workspace.ana.command("far", "/bellhop", "fix it\nRepository: acme/shop");
    expect(JSON.stringify(answer)).toContain("The request is accepted.");
    const refused = await taskThat(
      team,
      "the refusal",
      ({ spec, status }) => spec.command === undefined && status?.phase === "Refused",
    );
    expect(refused.status?.conditions).toMatchObject([
      {
        type: "Authorized",
        status: "False",
        reason: "ThreadUnreachable",
        message: expect.stringContaining("/invite @bellhop") as string,
      },
      ...(refused.status?.conditions ?? []).slice(1),
    ]);
    expect(refused.status?.attempts).toBeUndefined();
    const { id } = await world.slack.people.openDirectMessage({ members: ["ana", "bellhop"] });
    const shown = await eventually(() => world.slack.messages(id).at(-1), {
      describe: "the direct message",
      timeoutMs: 60_000,
    });
    expect(shownText(shown)).toContain("The bot is not in #far, so nothing was started");
    await taskThat(
      team,
      "the end of the report",
      ({ metadata, status }) =>
        metadata.name === refused.metadata.name &&
        status?.conditions?.some(({ type, status: is }) => type === "Reported" && is === "True") === true,
    );
    expect(works()).toHaveLength(before + 1);
    expect(world.slack.messages("far")).toEqual([]);
    world.slack.assertClean();
  });
});
