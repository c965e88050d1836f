import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodePlace } from "../demo/node-place.ts";
import type { SlackPlace } from "../demo/place.ts";
import { release } from "../demo/release.ts";
import {
  endedThread,
  optionOf,
  personalQuestionIn,
  pick,
  questionIn,
  requestedTask,
  slackOf,
} from "../demo/slack-job.ts";
import { failing, type MessageRef } from "../providers/slack/index.ts";
import { reported, startPlace, taskWhere } from "./journey-place.ts";

describe("a request in Slack, on a real node that enforces network policies", () => {
  let place: NodePlace;
  let slack: SlackPlace;

  beforeAll(async () => {
    place = await startPlace({ name: "journey-slack", slack: true });
    slack = slackOf(place);
  });
  afterAll(() => place?.close());

  /** Sends the last delivery of this type again. */
  const repeat = async (type: string): Promise<void> => {
    const last = (await slack.deliveries(type)).at(-1);
    await slack.people("repeatDelivery", { id: last?.id });
    const statuses = (await slack.deliveries(type)).map(({ attempts }) => attempts.at(-1)?.status);
    expect(statuses).toEqual([200, 200]);
  };

  const restartOperator = async (): Promise<void> => {
    const inBellhop = ["-n", release.namespace];
    const operator = [...inBellhop, "-l", "app.kubernetes.io/component=operator"];
    const running = (): Promise<string> => place.kubectl(["get", "pods", ...operator, "-o", "name"]);
    const before = await running();
    await place.kubectl(["delete", "pods", ...operator, "--grace-period=0", "--force", "--timeout=60s"]);
    await place.kubectl(["rollout", "status", ...inBellhop, "deployment/bellhop-operator", "--timeout=120s"]);
    expect(await running()).not.toContain(before.trim());
  };

  it("becomes one pull request and one report, with duplicates, an operator that restarts after the question, and a rate limit on the report", async () => {
    const text = "please say hello in the README";
    const thread = await slack.people<MessageRef>("mentions", { as: "ana", channel: slack.channel, text });
    await repeat("app_mention");
    const name = await requestedTask(place);
    await taskWhere(place, name, "waiting for an answer", ({ status }) => status?.phase === "WaitingForInput");
    const question = await questionIn(slack, thread);
    expect(question.shown).toContain("Which repository is this about?");
    await restartOperator();

    const asked = await personalQuestionIn(slack, thread);
    const { option } = await optionOf(slack, asked, place.repository);
    await slack.fail("chat.update", failing.rateLimited(1), 2);
    await slack.people("picks", pick(asked, option));
    await repeat("block_actions");

    const { status } = await reported(place, name);
    expect(status, JSON.stringify(status)).toMatchObject({ phase: "Succeeded", repository: { from: "Answer" } });
    const pulls = await place.rest<object[]>(`/repos/${place.repository}/pulls?state=all`);
    expect(pulls).toMatchObject([{ number: status?.result?.changeNumber, draft: true, user: { login: place.bot } }]);
    expect(await place.git("show", `${status?.result?.commit}:bellhop-note.md`)).toContain(text);
    const [report, end, ...more] = await endedThread(slack, thread);
    expect(more).toEqual([]);
    expect(report).toMatchObject({ ts: question.ts, edited: true, shown: expect.stringContaining("Done in") });
    expect(end?.shown).toMatch(/^@ana /);
    const limited = (await slack.calls("chat.update")).filter(({ error }) => error === "ratelimited");
    expect(limited).toHaveLength(2);
    expect(await requestedTask(place)).toBe(name);
    expect(await slack.violations()).toEqual([]);
    expect(await place.remembered("/violations")).toEqual([]);
  });
});
