import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentTask } from "../../../src/api/kinds.ts";
import { SlackAppKind, type SlackApp } from "../../../src/api/slack-app.ts";
import { events, secrets } from "../../../src/kube/resources.ts";
import { eventually } from "../../cluster/namespace.ts";
import type { MessageRef, SeenMessage } from "../../providers/slack/index.ts";
import { shownText } from "../../providers/slack/see.ts";
import { aSlackTeam, type SlackTeam } from "./world/slack.ts";
import { aTeam, gated, type Team } from "./world/team.ts";
import { startWorld, type World } from "./world/index.ts";
import { isReported, taskThat, type Pull } from "./world/thread.ts";

/** A request whose agent works until `finishes`. */
interface Running {
  channel: string;
  request: MessageRef;
  task: string;
  /** The report, while the agent works. */
  report: SeenMessage;
}

describe("a request in Slack that loses its access while the agent works", () => {
  let world: World;
  let team: Team;
  let workspace: SlackTeam;
  let gate: string;
  beforeAll(async () => {
    world = await startWorld();
    gate = join(world.folder, "gate");
    team = await aTeam(world, "acme", { profile: { agent: gated(gate) } });
    workspace = await aSlackTeam(team);
  });
  afterAll(() => world?.close());

  /** Asks for work in a new channel, and waits until the agent works and the report says so. */
  async function running(channel: string, more: { private?: boolean } = {}): Promise<Running> {
    const { ana, untilReport } = workspace;
    await rm(gate, { force: true });
    await world.slack.people.createChannel({ name: channel, members: ["ana", "bob", "bellhop"], ...more });
    const request = await ana.mentions(channel, `please write down the time\nRepository: ${team.repo}`);
    const report = await untilReport(request, "the first report", () => true);
    const isWorking = (task: AgentTask): boolean =>
      task.status?.phase === "Running" && task.status.report?.id === report.ts;
    const { metadata } = await taskThat(team, "a task whose agent works", isWorking);
    return { channel, request, task: metadata.name, report };
  }

  /** Lets the agent finish, and waits until its work is published. */
  async function finishes({ task }: Running): Promise<void> {
    await writeFile(gate, "");
    const { status } = await taskOf(task, "published", ({ status: seen }) => seen?.phase === "Succeeded");
    expect(status?.attempts).toHaveLength(1);
    const pull = await team.read<Pull>(`/repos/${team.repo}/pulls/${status?.result?.changeNumber ?? 0}`);
    expect(pull).toMatchObject({ state: "open", draft: true, user: { login: team.bot } });
  }

  function taskOf(name: string, describe_: string, wanted: (task: AgentTask) => boolean): Promise<AgentTask> {
    return taskThat(team, `${name} ${describe_}`, (task) => task.metadata.name === name && wanted(task));
  }

  /** Waits until the condition of the task, and an Event, say why the report is not posted. */
  async function saysWhy({ task }: Running, reason: string, message: RegExp): Promise<void> {
    const { status } = await taskOf(task, reason, ({ status: seen }) => reported(seen)?.reason === reason);
    expect(reported(status)?.message).toMatch(message);
    await hasEvent(task, "Warning", reason, message);
  }

  const reported = (status: AgentTask["status"]) => status?.conditions?.find(({ type }) => type === "Reported");

  async function hasEvent(about: string, type: string, reason: string, note: RegExp): Promise<void> {
    const found = async (): Promise<true> => {
      const { items } = await world.client.list(events, { namespace: team.namespace });
      const seen = items.filter(({ regarding }) => regarding?.name === about);
      if (seen.some((event) => event.type === type && event.reason === reason && note.test(event.note ?? "")))
        return true;
      throw new Error(`the Events of ${about} are ${JSON.stringify(seen.map((event) => [event.reason, event.note]))}`);
    };
    await eventually(found, { describe: `an Event ${reason} of ${about}`, timeoutMs: 60_000 });
  }

  /** Waits for the final report: one message that is right, one reply, and no other word of the bot. */
  async function isReportedOnce({ task, request, report }: Running): Promise<void> {
    const { status } = await taskOf(task, "reported", isReported);
    const [first, end, ...more] = workspace.botMessages(request);
    expect(more).toEqual([]);
    expect(shownText(first ?? { blocks: [] })).toMatch(/^Done in .*draft PR #\d+.*Waited for leave/s);
    expect(first?.ts).toBe(status?.report?.id);
    expect(first?.ts).toBe(report.ts);
    expect(end?.shown).toMatch(/^@ana Done in /);
    expect(status?.report?.lastError).toBeUndefined();
  }

  it.each([
    {
      name: "its channel is archived",
      channel: "archived",
      breaks: (channel: string) => world.slack.people.archive({ channel }),
      says: /^Could not post the report: cannot .* Slack answered "is_archived"\. The channel is archived: unarchive it/,
      fixes: (channel: string) => world.slack.people.unarchive({ channel }),
    },
    {
      name: "the bot is removed from its channel",
      channel: "kicked",
      breaks: (channel: string) => world.slack.people.kick({ channel, members: ["bellhop"] }),
      says: /Slack answered "not_in_channel"\. The bot is not in the channel: invite it\./,
      fixes: (channel: string) => world.slack.people.invite({ channel, members: ["bellhop"] }),
    },
    {
      name: "the bot is removed from its private channel",
      channel: "kicked-privately",
      private: true,
      breaks: (channel: string) => world.slack.people.kick({ channel, members: ["bellhop"] }),
      says: /Slack answered "channel_not_found"\. .*invite the bot to the channel\./,
      fixes: (channel: string) => world.slack.people.invite({ channel, members: ["bellhop"] }),
    },
  ])(
    "publishes the work, says why it is not reported, and reports it once when people undo it: $name",
    async (given) => {
      const work = await running(given.channel, { private: given.private ?? false });
      await given.breaks(given.channel);
      await finishes(work);
      await saysWhy(work, "NotPosted", given.says);
      await given.fixes(given.channel);
      await isReportedOnce(work);
      await hasEvent(work.task, "Normal", "ReportPosted", /The report is posted now: https:/);
    },
  );

  it("publishes and reports the work in its thread if the request is deleted", async () => {
    const work = await running("deleted-request");
    await workspace.ana.deletes(work.request);
    await finishes(work);
    await isReportedOnce(work);
  });

  it("posts the report again, once, if somebody deletes it", async () => {
    const work = await running("deleted-report");
    await workspace.ana.deletes(work.report);
    await finishes(work);
    const { status } = await taskOf(work.task, "reported", isReported);
    const messages = workspace.botMessages(work.request);
    expect(messages.map(({ ts }) => ts)).toEqual([status?.report?.id]);
    expect(shownText(messages[0] ?? { blocks: [] })).toMatch(/^Done in .*draft PR #\d+/s);
  });

  it("posts the report in the empty thread if somebody deletes the request and the report", async () => {
    const work = await running("deleted-both");
    await workspace.ana.deletes(work.report);
    await workspace.ana.deletes(work.request);
    await finishes(work);
    await taskOf(work.task, "reported", isReported);
    expect(workspace.botMessages(work.request)).toHaveLength(1);
  });

  describe("because of its token", () => {
    const key = (): { namespace: string; name: string } => ({ namespace: team.namespace, name: "slack" });

    /** Lets the operator look at the SlackApp now, not within five minutes, and waits for its condition. */
    async function credentials(status: "True" | "False", reason: string, message: RegExp): Promise<void> {
      const annotations = { "example.com/look": `${status} ${reason} ${Date.now()}` };
      await world.client.mergePatch(SlackAppKind, key(), { metadata: { annotations } });
      const probe = async (): Promise<true> => {
        const { status: seen } = await world.client.get<SlackApp>(SlackAppKind, key());
        const valid = seen?.conditions?.find(({ type }) => type === "CredentialsValid");
        if (valid?.status === status && valid.reason === reason && message.test(valid.message)) return true;
        throw new Error(`its conditions are ${JSON.stringify(seen?.conditions)}\n${world.logs("slack")}`);
      };
      await eventually(probe, { describe: `the SlackApp to say ${reason}`, timeoutMs: 90_000 });
      await hasEvent("slack", status === "True" ? "Normal" : "Warning", reason, message);
    }

    /** Stores the token of a new installation, as the guide says. */
    async function installedAgain(): Promise<void> {
      const { token } = await world.slack.people.installApp({ by: "ana" });
      await world.client.mergePatch(secrets, { ...key(), name: "slack-app" }, { stringData: { token } });
    }

    it("publishes the work, says that the token is revoked, and reports it once when the token is replaced", async () => {
      const work = await running("revoked");
      await world.slack.people.revokeToken({});
      await finishes(work);
      await saysWhy(work, "NotPosted", /Slack answered "token_revoked"\. The bot token is wrong, expired or revoked/);
      await credentials("False", "Unauthorized", /put the token of the page OAuth & Permissions into the Secret/);
      await installedAgain();
      await credentials("True", "SignedIn", /Signed in as bellhop/);
      await isReportedOnce(work);
    });

    it("publishes the work, says that the Secret is missing, and reports it once as soon as the Secret is there again", async () => {
      const work = await running("no-secret");
      const secret = await world.client.get(secrets, { ...key(), name: "slack-app" });
      await world.client.delete(secrets, { ...key(), name: "slack-app" });
      await credentials("False", "SecretNotFound", /slack-app does not exist; create it/);
      await saysWhy(work, "SignedOut", /^SlackApp slack cannot sign in: its conditions say why\. The report waits\.$/);
      await finishes(work);
      const { annotations = {} } = secret.metadata;
      const metadata = { name: "slack-app", namespace: team.namespace, annotations };
      await world.client.create(secrets, { metadata, data: secret.data ?? {} });
      await credentials("True", "SignedIn", /Signed in as bellhop/);
      await isReportedOnce(work);
    });

    it("publishes the work, says that the app was removed, and reports it once when it is installed and invited again", async () => {
      const work = await running("removed");
      await world.slack.people.removeApp({});
      await finishes(work);
      await saysWhy(work, "NotPosted", /Slack answered "account_inactive"\. The app was removed from the workspace/);
      await credentials("False", "Suspended", /install the app again/);
      await installedAgain();
      await world.slack.people.invite({ channel: work.channel, members: ["bellhop"] });
      await credentials("True", "SignedIn", /Signed in as bellhop/);
      await isReportedOnce(work);
      world.slack.assertClean();
      world.github.assertClean();
    });
  });
});
