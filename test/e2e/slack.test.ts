import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../cluster/eventually.ts";
import type { AgentTask } from "../../src/api/kinds.ts";
import { until } from "../cluster/node/wait.ts";
import { isReported } from "../demo/follow.ts";
import type { NodePlace } from "../demo/node-place.ts";
import type { RemoteInjection } from "../demo/outside.ts";
import { ours, type SlackPlace } from "../demo/place.ts";
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
import { failing as gitHubFailing } from "../providers/github/index.ts";
import { failing, type MessageRef } from "../providers/slack/index.ts";
import { reported, startPlace, taskWhere } from "./journey-place.ts";
import { onNode } from "./on-node.ts";

type Wanted = (task: AgentTask) => boolean;
const holds = ({ status }: AgentTask, type: string): boolean =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
/** The agent works as long as this file of its pod does not exist. */
const gate = "/bellhop/tmp/gate";
const inBellhop = ["-n", release.namespace];
const operators = ["-l", "app.kubernetes.io/component=operator"];
const deployment = "deployment/bellhop-operator";
const gatedDemo = `until [ -e ${gate} ]; do sleep 0.2; done; exec /bin/sh /agents/demo.sh`;

describe("a request in Slack, on a real node that enforces network policies", () => {
  let place: NodePlace;
  let slack: SlackPlace;
  /** The task of the request. */
  let name: string;

  beforeAll(
    onNode(async () => {
      place = await startPlace({ name: "journey-slack", slack: true, command: ["/bin/sh", "-c", gatedDemo] });
      slack = slackOf(place);
    }),
  );
  afterAll(() => place?.close());

  it("becomes one pull request and one report, with every delivery doubled, an operator that restarts at each step, and a rate limit on the report", async () => {
    const text = "please say hello in the README";
    const pulls = `/repos/${place.repository}/pulls`;

    // The operator cannot read who asks, so the task stays as the gateway stored it. It posts the report, and never hears of it.
    let held = await slack.fail("users.info", failing.rateLimited(1));
    const posting = await slack.fail("chat.postMessage", failing.keepAnswer(), 1);
    const thread = await slack.people<MessageRef>("mentions", { as: "ana", channel: slack.channel, text });
    await repeat("app_mention", "message");
    name = await requestedTask(place);
    await met("stored", posting);
    await stopped("stored", (task) => !holds(task, "Authorized"), held);
    await started();
    await stopped("authorised", (task) => holds(task, "Authorized"));
    await started();
    await stopped("waiting for an answer", ({ status }) => status?.report?.id !== undefined && asks(status));
    await started();
    const question = await questionIn(slack, thread);
    expect(question.shown).toContain("Which repository is this about?");

    const asked = await personalQuestionIn(slack, thread);
    const { option } = await optionOf(slack, asked, place.repository);
    held = await slack.fail("users.info", failing.rateLimited(1));
    await slack.people("picks", pick(asked, option));
    await repeat("block_actions");
    await stopped("waiting, with an answer that is stored", ({ status }) => asks(status), held);

    // Only the step that prepares the work looks whether the branch of the change exists.
    const newBranch = { method: "GET", path: `/repos/${place.repository}/branches/bellhop*` };
    held = await place.fail(newBranch, gitHubFailing.secondaryRateLimit(1));
    await started();
    await stopped("admitted", (task) => holds(task, "Admitted"), held);
    await started();
    await stopped("prepared", ({ status }) => status?.attempts?.length === 1);
    await started();
    await stopped("running", ({ status }) => status?.phase === "Running");

    const push = { method: "POST", path: `/${place.repository}.git/git-receive-pack` };
    held = await place.fail(push, gitHubFailing.slow(3_000));
    await started();
    await openGate();
    await stopped("publishing", ({ status }) => status?.publish !== undefined, held);

    // The pull request is open, and this operator never hears of it.
    held = await place.fail({ method: "POST", path: pulls }, gitHubFailing.keepAnswer(), 1);
    await started();
    await stopped("opening the pull request", ({ status }) => status?.publish !== undefined, held);
    // GitHub goes on with the request after the operator is stopped.
    const opened = (): Promise<unknown[]> => place.rest<unknown[]>(`${pulls}?state=all`);
    await eventually(async () => (await opened()).length === 1, { describe: "the pull request to be open" });

    held = await slack.fail("chat.update", failing.rateLimited(1));
    await started();
    await stopped("done, and not reported", (task) => holds(task, "Succeeded") && !isReported(task), held);

    // The reply that mentions ana is in the thread, and this operator never hears of it.
    const limited = await slack.fail("chat.update", failing.rateLimited(1), 2);
    held = await slack.fail("chat.postMessage", failing.keepAnswer(), 1);
    await started();
    await stopped("reporting", (task) => holds(task, "Succeeded") && !isReported(task), held);
    expect(await limited.hits()).toBe(2);
    await started();
    await stopped("reported", isReported);
    await started();
    await repeat("app_mention", "message", "block_actions");
    await answersAgain();

    const { status } = await reported(place, name);
    expect(status, JSON.stringify(status)).toMatchObject({ phase: "Succeeded", repository: { from: "Answer" } });
    expect(status?.attempts?.map(({ number }) => number)).toEqual([1]);
    const changes = await place.rest<object[]>(`${pulls}?state=all`);
    expect(changes).toMatchObject([{ number: status?.result?.changeNumber, draft: true, user: { login: place.bot } }]);
    expect(await place.git("show", `${status?.result?.commit}:bellhop-note.md`)).toContain(text);
    const [report, end, ...more] = await endedThread(slack, thread);
    expect(more).toEqual([]);
    expect(report).toMatchObject({ ts: question.ts, edited: true, shown: expect.stringContaining("Done in") });
    expect(report?.ts).toBe(status?.report?.id);
    expect(end?.shown).toMatch(/^@ana Done in /);
    expect(await requestedTask(place)).toBe(name);
    expect(await slack.violations()).toEqual([]);
    expect(await place.remembered("/violations")).toEqual([]);
  }, 1_800_000);

  const asks = (status: AgentTask["status"]): boolean => status?.phase === "WaitingForInput";

  /** Sends the last delivery of each type again. Every delivery so far was accepted. */
  async function repeat(...types: string[]): Promise<void> {
    for (const type of types) {
      const last = (await slack.deliveries(type)).at(-1);
      expect(last, type).toBeDefined();
      await slack.people("repeatDelivery", { id: last?.id });
      const statuses = (await slack.deliveries(type)).map(({ attempts }) => attempts.at(-1)?.status);
      expect(new Set(statuses)).toEqual(new Set([200]));
    }
  }

  /** Waits until the task is in a state, and its operator at the call that fails; then ends the operator, and lets the call succeed. */
  async function stopped(what: string, wanted: Wanted, held?: RemoteInjection): Promise<void> {
    await taskWhere(place, name, what, wanted);
    if (held) await met(what, held);
    await place.kubectl(["scale", ...inBellhop, deployment, "--replicas=0"]);
    // Returns when the process has ended.
    await place.kubectl(["delete", "pods", ...inBellhop, ...operators, "--grace-period=1", "--timeout=120s"]);
    expect(await place.kubectl(["get", "pods", ...inBellhop, ...operators, "-o", "name"])).toBe("");
    await held?.stop();
    console.log(`the operator was stopped while the task was ${what}`);
  }

  /** Waits until the operator makes the call that fails. */
  async function met(what: string, held: RemoteInjection): Promise<void> {
    const hit = async (): Promise<boolean> => (await held.hits()) > 0;
    try {
      await until(hit, { what: `the operator to meet the failure while the task is ${what}`, timeoutMs: 120_000 });
    } catch (cause) {
      const { status } = (await place.api<AgentTask>(`${ours(place.namespace, "agenttasks")}/${name}`)) ?? {};
      throw new Error(`${String(cause)}\n${JSON.stringify(status, undefined, 1)}\n${await place.logs()}`, { cause });
    }
  }

  async function started(): Promise<void> {
    await place.kubectl(["scale", ...inBellhop, deployment, "--replicas=1"]);
    await place.kubectl(["rollout", "status", ...inBellhop, deployment, "--timeout=120s"]);
  }

  /** Lets the agent of the running pod go on. */
  async function openGate(): Promise<void> {
    const task = await place.api<AgentTask>(`${ours(place.namespace, "agenttasks")}/${name}`);
    const pod = join(place.node.folder, "var/lib/kubelet/pods", task?.status?.attempts?.at(-1)?.podUID ?? "");
    await writeFile(join(pod, "volumes/kubernetes.io~empty-dir/tmp/gate"), "");
  }

  /** Lets the new operator answer a command elsewhere: by then it has seen every task. */
  async function answersAgain(): Promise<void> {
    await slack.people("command", { as: "ana", channel: slack.channel, command: "/bellhop", text: "status" });
    const answered = async (): Promise<boolean> => {
      const list = await place.api<{ items: AgentTask[] }>(ours(place.namespace, "agenttasks"));
      return (list?.items ?? []).some((task) => task.spec.command === "status" && isReported(task));
    };
    await until(answered, { what: "the answer to a command", timeoutMs: 120_000 });
  }
});
