import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentTask } from "../../src/api/kinds.ts";
import { eventually } from "../cluster/namespace.ts";
import { failing as gitHubFailing, type Injection } from "../providers/github/index.ts";
import { failing, type MessageRef } from "../providers/slack/index.ts";
import { shownText } from "../providers/slack/see.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { aSlackTeam, type SlackTeam } from "../integration/journey/world/slack.ts";
import { aTeam, gated, type Team } from "../integration/journey/world/team.ts";
import { isReported, taskThat, type Pull } from "../integration/journey/world/thread.ts";

type Wanted = (task: AgentTask) => boolean;
const isWork: Wanted = ({ spec }) => spec.command === undefined;
const holds = ({ status }: AgentTask, type: string): boolean =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
/** The branch of the change: only the step that prepares the work looks whether it exists. */
const newBranch = /^\/repos\/acme\/till\/branches\/(?!main$)/;
const pulls = "/repos/acme/till/pulls";

describe("a request in Slack whose operator is killed at every step", () => {
  let world: World;
  let team: Team;
  let workspace: SlackTeam;
  let gate: string;
  beforeAll(async () => {
    world = await startWorld();
    gate = join(world.folder, "gate");
    team = await aTeam(world, "acme", { profile: { agent: gated(gate) } });
    await world.github.people.createRepo({ repo: "acme/till", private: false, files: { "README.md": "# Till\n" } });
    workspace = await aSlackTeam(team);
  });
  afterAll(() => world?.close());

  it("gets one message, one pull request and one reply, although every delivery arrives twice and the report meets a rate limit", async () => {
    const { ana, channel, botMessages, chooses } = workspace;
    const { slack, github } = world;

    // The operator cannot read who asks, so the task stays as the gateway stored it. It posts the report, and never hears of it.
    let held = slack.fail({ method: "users.info" }, failing.rateLimited(1));
    const posting = slack.fail({ method: "chat.postMessage" }, failing.keepAnswer(), { times: 1 });
    const request = await ana.mentions(channel, "please write down the time");
    await repeatDeliveries();
    await met("stored", posting);
    await killed("stored", (task) => isWork(task) && !holds(task, "Authorized"), held);
    await eventually(() => botMessages(request).length === 1, { describe: "the report that the operator posted" });
    await restarted();
    await killed("authorised", (task) => isWork(task) && holds(task, "Authorized"));
    await restarted();
    await killed(
      "waiting for an answer",
      (task) => task.status?.report?.id !== undefined && task.status.question !== undefined,
    );
    await restarted();

    held = slack.fail({ method: "users.info" }, failing.rateLimited(1));
    await chooses(request, ana, "acme/till");
    await repeatDeliveries();
    await killed(
      "waiting, with an answer that is stored",
      ({ spec, status }) => spec.command === "use" && status?.phase !== "Succeeded",
      held,
    );

    held = github.fail({ method: "GET", path: newBranch }, gitHubFailing.secondaryRateLimit(1));
    await restarted();
    await killed("admitted", (task) => isWork(task) && holds(task, "Admitted"), held);
    await restarted();
    await killed("prepared", ({ status }) => status?.attempts?.length === 1);
    await restarted();
    await killed("running", ({ status }) => status?.phase === "Running");

    held = github.fail({ method: "POST", path: /^\/acme\/till(\.git)?\/git-receive-pack$/ }, gitHubFailing.slow(3_000));
    await restarted();
    await writeFile(gate, "");
    await killed("publishing", ({ status }) => status?.publish !== undefined, held);

    // The pull request is open, and the operator never hears of it.
    held = github.fail({ method: "POST", path: pulls }, gitHubFailing.keepAnswer(), { times: 1 });
    await restarted();
    await killed("opening the pull request", ({ status }) => status?.publish !== undefined, held);
    // GitHub goes on with the request after the operator is killed.
    await eventually(async () => (await opened()).length === 1, { describe: "the pull request to be open" });

    held = slack.fail({ method: "chat.update" }, failing.rateLimited(1));
    await restarted();
    await killed("done, and not reported", (task) => isWork(task) && holds(task, "Succeeded"), held);

    // The reply that mentions ana is in the thread, and the operator never hears of it.
    const limited = slack.fail({ method: "chat.update" }, failing.rateLimited(1), { times: 2 });
    held = slack.fail({ method: "chat.postMessage" }, failing.keepAnswer(), { times: 1 });
    await restarted();
    await killed("reporting", (task) => isWork(task) && holds(task, "Succeeded"), held);
    expect(limited.hits).toBe(2);
    await restarted();
    await killed("reported", (task) => isWork(task) && isReported(task));
    await restarted();
    await repeatDeliveries();
    await answersAgain();

    await isReportedOnce(request);
    slack.assertClean();
    github.assertClean();
  }, 900_000);

  /** Waits until a task is in a state, and its operator at the call that fails; then kills the operator, and lets the call succeed. */
  async function killed(what: string, wanted: Wanted, held?: Injection): Promise<void> {
    await taskThat(team, `a task that is ${what}`, wanted);
    if (held) await met(what, held);
    await world.kill("operator");
    held?.stop();
  }

  function met(what: string, held: Injection): Promise<true> {
    const describe_ = `the operator to meet the failure while the task is ${what}`;
    return eventually(() => held.hits > 0 || undefined, { describe: describe_, timeoutMs: 90_000 });
  }

  function restarted(): Promise<void> {
    return world.start("operator");
  }

  /** Sends every delivery that people caused again, signed again. */
  async function repeatDeliveries(): Promise<void> {
    await world.slack.settled();
    const caused = new Set(["app_mention", "message", "block_actions"]);
    for (const { id, type } of world.slack.deliveries())
      if (caused.has(type)) await world.slack.people.repeatDelivery({ id });
    expect(new Set(world.slack.deliveries().map(({ attempts }) => attempts.at(-1)?.status))).toEqual(new Set([200]));
  }

  /** Lets the new operator answer a command elsewhere: by then it has seen every task. */
  async function answersAgain(): Promise<void> {
    await workspace.ana.command(workspace.channel, "/bellhop", "status");
    await taskThat(team, "the answer to a command", (task) => task.spec.command === "status" && isReported(task));
  }

  function opened(): Promise<Pull[]> {
    return team.read<Pull[]>(`${pulls}?state=all`);
  }

  async function isReportedOnce(request: MessageRef): Promise<void> {
    const tasks = world.tasks.list(team.namespace);
    expect(tasks.map(({ spec }) => spec.command ?? "work").sort()).toEqual(["status", "use", "work"]);
    const { status } = tasks.find(isWork) ?? {};
    expect(status?.phase, JSON.stringify(status)).toBe("Succeeded");
    expect(status?.attempts?.map(({ number }) => number)).toEqual([1]);
    const [pull, ...others] = await opened();
    expect(others).toEqual([]);
    expect(pull).toMatchObject({ number: status?.result?.changeNumber, draft: true, user: { login: team.bot } });
    const [report, end, ...more] = workspace.botMessages(request);
    expect(more).toEqual([]);
    expect(shownText(report ?? { blocks: [] })).toMatch(/^Done in .*draft PR #\d+.*Waited for leave/s);
    expect(report?.ts).toBe(status?.report?.id);
    expect(end?.shown).toMatch(/^@ana Done in /);
  }
});
