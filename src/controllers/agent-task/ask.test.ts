import { describe, expect, it } from "vitest";
import type { AgentTaskStatus } from "../../api/agent-task-status.ts";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import type { PersonalQuestion } from "../../integrations/connection.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { aConnection, aThread } from "../../integrations/testing.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { ask } from "./ask.ts";
import { runSteps } from "./frame.ts";
import { asStep } from "./steps.ts";
import { aThreadTask, facts, integrationOf, noon, taskCacheOf, taskDeps } from "./testing.ts";

type Asked = NonNullable<NonNullable<AgentTaskStatus["question"]>["asked"]>;
const triedAt = new Date(noon.getTime() - 600_000).toISOString();

interface Given {
  asked?: Asked;
  choices?: string[];
  reported?: boolean;
  requests?: AgentTaskStatus["requests"];
}

function waiting({ asked, choices = ["acme/shop"], reported = true, requests }: Given = {}): AgentTask {
  return aThreadTask({
    conditions: ["Authorized"],
    status: {
      question: { text: "Which repository?", choices, askedAt: triedAt, ...(asked ? { asked } : {}) },
      ...(reported ? { report: { id: "1700000000.000200" } } : {}),
      ...(requests ? { requests } : {}),
    },
  });
}

/** Reconciles the task once. Returns the messages that were sent, the status at that time, and the status afterwards. */
async function reconcile(task: AgentTask, fail?: Error) {
  const kube = createFakeClient();
  const stored = kube.seed(AgentTaskKind, task);
  const sent: { question: PersonalQuestion; before: Asked | undefined }[] = [];
  const now = (): Asked | undefined => kube.only(AgentTaskKind).status?.question?.asked;
  const thread = aThread({
    ask: async (_target, question) => {
      sent.push({ question, before: now() });
      if (fail) throw fail;
    },
  });
  const tasks = taskCacheOf([stored]);
  const deps = taskDeps({ kube, tasks, findIntegration: integrationOf(async () => aConnection({ thread })) });
  await runSteps(deps, [asStep(ask)], stored, AbortSignal.timeout(5_000));
  return { sent, asked: now() };
}

const use = (from: string) => ({ type: "use", by: "ana", from, argument: "acme/nothing" }) as const;
const unavailable = new ProviderError("Unavailable", "no answer in time");

describe("the question to the requester alone", () => {
  it("is stored before it is sent, and sent once", async () => {
    const { sent, asked } = await reconcile(waiting());
    expect(sent).toEqual([
      {
        question: { task: expect.any(String) as string, person: "U501", text: "Which repository?" },
        before: { tries: 1, triedAt: noon.toISOString() },
      },
    ]);
    expect(asked).toMatchObject({ tries: 1, sentAt: noon.toISOString() });
    expect((await reconcile(waiting({ asked: asked! }))).sent).toEqual([]);
  });

  it("is sent again after a crash, and a second crash does not send it a third time", async () => {
    const first = await reconcile(waiting({ asked: { tries: 1, triedAt } }));
    expect(first.sent).toHaveLength(1);
    expect(first.sent[0]?.before).toMatchObject({ tries: 2 });
    expect((await reconcile(waiting({ asked: { tries: 2, triedAt } }))).sent).toEqual([]);
  });

  it("is sent again after an answer that names no repository of ours", async () => {
    const asked = { tries: 1, triedAt, sentAt: triedAt };
    const again = await reconcile(waiting({ asked, requests: [use("a")] }));
    expect(again.sent).toHaveLength(1);
    expect(again.asked).toMatchObject({ answer: "a", tries: 1 });
    expect((await reconcile(waiting({ asked: again.asked!, requests: [use("a")] }))).sent).toEqual([]);
    expect((await reconcile(waiting({ asked: again.asked!, requests: [use("b")] }))).sent).toHaveLength(1);
  });

  it.each([
    ["a rate limit, which sends nothing, is tried again without counting", new ProviderError("RateLimited", "429"), 0],
    ["a time-out may have sent it, and counts", unavailable, 1],
    ["a refusal is final", new ProviderError("Forbidden", "user_not_in_channel"), 2],
  ] as const)("%s", async (_, failure, tries) => {
    const { asked } = await reconcile(waiting(), failure);
    expect(asked).toMatchObject({ tries, failures: 1, lastError: failure.message });
    expect(asked).not.toHaveProperty("sentAt");
  });

  it("waits between failures, longer each time, and stops at last", async () => {
    const failed = { tries: 0, failures: 1 };
    const soon = { ...failed, triedAt: new Date(noon.getTime() - 1_000).toISOString() };
    expect((await reconcile(waiting({ asked: soon }))).sent).toEqual([]);
    expect((await reconcile(waiting({ asked: { ...failed, triedAt } }))).sent).toHaveLength(1);
    expect((await reconcile(waiting({ asked: { ...failed, failures: 12, triedAt } }))).sent).toEqual([]);
  });

  it("comes after the report, and only if there is something to choose", async () => {
    expect((await reconcile(waiting({ reported: false }))).sent).toEqual([]);
    expect((await reconcile(waiting({ choices: [] }))).sent).toEqual([]);
  });

  it("is left out where the provider has no such messages", async () => {
    const task = waiting();
    expect(ask.decide(facts({ task }), { canAsk: false }, noon)).toEqual({});
  });
});
