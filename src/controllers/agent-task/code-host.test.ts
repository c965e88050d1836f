import { describe, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import { aConnection, aProvider, fakeHost } from "../../integrations/testing.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { unexpected } from "../../shared/testing.ts";
import type { IntegrationHandle } from "../integration-handle.ts";
import { admit } from "./admit.ts";
import { approval } from "./approval.ts";
import { conversationOf, personAtCodeHost } from "./state.ts";
import { runSteps } from "./frame.ts";
import { readContext } from "./prepare.ts";
import { repository } from "./repository.ts";
import { sandboxSpecOf } from "./spec.ts";
import { asStep } from "./steps.ts";
import { branchBefore, tasksOf } from "./conversation.ts";
import {
  aProfile,
  aTask,
  anIntegration,
  aThreadTask,
  facts,
  noon,
  shaOf,
  shop,
  stepContext,
  taskCacheOf,
  taskDeps,
} from "./testing.ts";
import { changeText } from "./publish/change-text.ts";

const steps = [asStep(repository), asStep(approval), asStep(admit)];
const plain = anIntegration();
const chat = {
  ...plain,
  kind: "SlackApp",
  metadata: { ...plain.metadata, name: "chat" },
  spec: {
    ...plain.spec,
    access: { ...plain.spec.access, people: [{ id: "U501", codeHost: { id: "501", login: "ana-dev" } }] },
  },
};

/** Reconciles a task whose chat exists and whose code host is `codeHost`; returns its status. */
async function reconcile(task: AgentTask, codeHost?: IntegrationHandle): Promise<AgentTask["status"]> {
  const kube = createFakeClient();
  const stored = kube.seed(AgentTaskKind, task);
  const connect = async () => aConnection();
  const deps = taskDeps({
    kube,
    tasks: taskCacheOf([stored]),
    findIntegration: ({ kind }) =>
      kind === "SlackApp" ? { integration: chat, provider: aProvider(), connect } : codeHost,
  });
  await runSteps(deps, steps, stored, AbortSignal.timeout(5_000)).catch((error: unknown) => error);
  return kube.only(AgentTaskKind).status;
}

describe("a task whose code host does not exist", () => {
  const asked = aThreadTask({ conditions: ["Authorized"] });

  it("says so in the condition of the step that needs it, and waits for no answer", async () => {
    const status = await reconcile(asked);
    expect(status?.conditions?.at(-1)).toMatchObject({
      type: "RepositoryResolved",
      status: "Unknown",
      reason: "CodeHostNotFound",
      message: expect.stringContaining("GitHubIntegration shop") as string,
    });
    expect(status).toMatchObject({ phase: "Queued" });
    expect(status?.question).toBeUndefined();
  });

  it("is not admitted, even if it was approved before", async () => {
    const approved = aThreadTask({ conditions: ["Authorized", "Approved"], status: { repository: shop } });
    expect((await reconcile(approved))?.conditions?.at(-1)).toMatchObject({
      type: "Admitted",
      status: "False",
      reason: "CodeHostNotFound",
      message: expect.stringContaining("GitHubIntegration shop, the code host of this task") as string,
    });
  });

  it("gives up its place if the code host is deleted before its first attempt, and is prepared again later", async () => {
    const placed = aThreadTask({
      conditions: ["Authorized", { type: "Approved", reason: "Approved" }, "Admitted", "ContextReady"],
      status: { repository: shop },
    });
    const status = await reconcile(placed);
    expect(status).toMatchObject({ phase: "Queued" });
    expect(status?.conditions?.map(({ type, reason }) => `${type}: ${reason}`)).toEqual([
      expect.stringContaining("Authorized"),
      "Approved: Approved",
      "Admitted: CodeHostNotFound",
    ]);
    const running = aThreadTask({
      conditions: ["Authorized", { type: "Approved", reason: "Approved" }, "Admitted", "ContextReady"],
      status: { repository: shop, attempts: [{ number: 1, podName: "a" }] },
    });
    expect((await reconcile(running))?.conditions).toContainEqual(
      expect.objectContaining({ type: "Admitted", status: "True" }),
    );
  });

  it("goes on once it is created: asks, and is kept over restarts until the answer", async () => {
    const { host } = fakeHost({ named: [] });
    const connect = async () => aConnection({ codeHost: host });
    const codeHost = { integration: plain, provider: aProvider(), connect };
    const status = await reconcile(asked, codeHost);
    expect(status).toMatchObject({ phase: "WaitingForInput", question: { askedAt: noon.toISOString() } });
    const again = await reconcile(aThreadTask({ ...(status ? { status } : {}), conditions: ["Authorized"] }), codeHost);
    expect(again?.question).toEqual(status?.question);
  });

  it("ends up in a condition too if the integration is no code host", async () => {
    const connect = async () => aConnection();
    const status = await reconcile(asked, { integration: plain, provider: aProvider(), connect });
    expect(status?.conditions?.at(-1)).toMatchObject({ type: "RepositoryResolved", reason: "NotSupported" });
  });
});

describe("a person of a chat", () => {
  const task = aThreadTask({
    status: { repository: shop, checkout: { headRef: "bellhop/fix", headSHA: shaOf("a"), newBranch: true } },
  });
  const stranger = { ...task, spec: { ...task.spec, actor: { id: "U7", login: "eve" } } };
  const sources = { profile: aProfile(), integration: chat, commit: shaOf("b"), mention: "bellhop" };
  const trailers = (given: AgentTask): string[] =>
    sandboxSpecOf({
      task: given,
      profile: aProfile(),
      integration: chat,
      bot: { id: "99", login: "bellhop[bot]", mention: "bellhop" },
      attempt: { number: 1, date: noon.toISOString() },
      host: fakeHost().host,
      egress: { probes: [], notProbed: [] },
      brokerURL: "https://broker.bellhop.svc:8443",
      remainingMs: 90_000,
    }).commit.trailers;

  it("is the account at the code host that the integration maps, and nobody without an entry", () => {
    expect(personAtCodeHost(task, chat, task.spec.actor)).toEqual({ id: "501", login: "ana-dev" });
    expect(personAtCodeHost(task, chat, stranger.spec.actor)).toBeUndefined();
    expect(personAtCodeHost(task, undefined, task.spec.actor)).toBeUndefined();
    // At the code host itself a person is who they are.
    expect(personAtCodeHost(aTask(), plain, { id: "501", login: "ana" })).toEqual({ id: "501", login: "ana" });
  });

  it("is mentioned in the change by that account; without one only their name is shown", () => {
    const [mapped, unmapped] = [task, stranger].map((one) => changeText({ ...sources, task: one }).newest[1]);
    expect(mapped).toEqual({ person: { id: "501", login: "ana-dev" }, notify: true });
    expect(unmapped).toEqual({ quote: "eve" });
  });

  it("is a co-author by that account; without one nobody is", () => {
    const coAuthors = (given: AgentTask): string[] => trailers(given).filter((one) => one.startsWith("Co-authored-by"));
    expect(coAuthors(task)).toEqual(["Co-authored-by: ana-dev <501+ana-dev@users.noreply.github.com>"]);
    expect(coAuthors(stranger)).toEqual([]);
  });

  it("closes no issue at the code host by a number of their own tracker", () => {
    const numbered = aThreadTask({ source: { subject: { type: "Issue", key: "OPS-42", number: 42 } } });
    expect(changeText({ ...sources, task: numbered }).subject).toBeUndefined();
  });
});

describe("the conversation of a thread without a repository", () => {
  const repositoryKnown = aThreadTask({
    name: "known",
    conditions: ["Authorized"],
    status: { conversation: "C1/100.1", repository: shop, result: { branch: "bellhop/fix" } },
  });
  const fresh = aThreadTask({ name: "fresh" });
  const refused = aThreadTask({ name: "refused", conditions: [{ type: "Authorized", status: "False" }] });
  const elsewhere = aThreadTask({ name: "elsewhere", source: { instance: "T2" } });
  const all = [repositoryKnown, fresh, refused, elsewhere];

  it("has all tasks of the thread that were not refused, whatever repository they work in", () => {
    const found = tasksOf(conversationOf(fresh), fresh, taskCacheOf(all));
    expect(found.map(({ metadata }) => metadata.name).sort()).toEqual(["fresh", "known"]);
  });

  it("continues the branch of earlier work in the same repository only", () => {
    const next = (id: string): AgentTask =>
      aThreadTask({ name: "next", conditions: ["Authorized"], status: { repository: { ...shop, id } } });
    expect(branchBefore(next(shop.id), taskCacheOf(all))?.branch).toBe("bellhop/fix");
    expect(branchBefore(next("7"), taskCacheOf(all))).toBeUndefined();
  });
});

describe("the context of a task from kubectl", () => {
  it("reads no thread of a chat, which could be private", async () => {
    const subject = { type: "Thread", key: "C1/100.1", number: 1 } as const;
    const task = aThreadTask({ source: { provider: "kubernetes", subject }, spec: { repository: shop } });
    expect(await readContext(stepContext({ facts: facts({ task }), connection: unexpected("connection") }))).toEqual(
      [],
    );
  });
});
