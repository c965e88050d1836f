import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aNamespace, eventually } from "../../test/cluster/namespace.ts";
import { accounts, aClusterWithChart, release, type ChartWorld } from "../../test/integration/chart-world.ts";
import { startGitHub, type GitHubStandIn } from "../../test/providers/github/index.ts";
import type { AgentTaskStatus } from "../api/agent-task-status.ts";
import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import { pods, secrets, serviceAccounts } from "../kube/resources.ts";
import type { KubeConnection } from "../kube/types.ts";
import { routes, session, type Session } from "../sandbox/protocol/channel.ts";
import { aBroker, aRunningTask, credentials, runGit, type BrokerAnswer, type RunningBroker } from "./testing.ts";

/** A control plane with the chart's accounts, permissions and admission policies. The broker uses the same account as in a cluster. */
let world: ChartWorld;
let gateway: KubeConnection;
let operator: KubeConnection;
let asBroker: KubeConnection;
let github: GitHubStandIn;
let broker: RunningBroker;
let namespace: string;

beforeAll(async () => {
  [world, github] = await Promise.all([aClusterWithChart(), startGitHub()]);
  [gateway, operator, asBroker] = await Promise.all([
    world.as(accounts.gateway),
    world.as(accounts.operator),
    world.as(accounts.broker),
  ]);
  await github.people.createOrg({ login: "acme" });
  await github.people.createRepo({ repo: "acme/shop", files: { "README.md": "# Shop\n" } });
  await github.people.createApp({ slug: "bellhop", owner: "acme" });
  broker = await aBroker({ client: asBroker, namespace: release.brokerNamespace, github, shared: true });
  await waitForPolicies();
});
afterAll(async () => {
  await broker?.stop();
  await github?.close();
  await world?.stop();
});
beforeEach(async () => {
  namespace = await aNamespace(world.admin, "broker");
});

/** Waits until the admission policies are active. The last one is the policy on status: it refuses writes of people and allows those of the operator. */
async function waitForPolicies(): Promise<void> {
  const at = await aNamespace(world.admin, "probe");
  const task = await eventually(() => aTask(at), { describe: "the policies to accept the gateway's account" });
  const write = (client: KubeConnection): Promise<unknown> =>
    client.mergePatch(AgentTaskKind, task.metadata, { status: { phase: "Running" } }, { subresource: "status" });
  await eventually(
    () =>
      write(world.admin).then(
        () => false,
        () => true,
      ),
    { describe: "the policy on status" },
  );
  await eventually(() => setStatus(task, { phase: "Running" }), { describe: "the operator's account" });
}

function aTask(at = namespace): Promise<AgentTask> {
  const { spec } = aRunningTask();
  const repository = { id: "7001", host: "127.0.0.1", owner: "acme", name: "shop" };
  const draft = { metadata: { name: "shop-abc", namespace: at }, spec: { ...spec, repository } };
  return gateway.create(AgentTaskKind, draft);
}

async function setStatus(task: AgentTask, status: AgentTaskStatus): Promise<AgentTask> {
  const now = await operator.get(AgentTaskKind, task.metadata);
  return operator.replaceStatus(AgentTaskKind, { ...now, status: { ...now.status, ...status } });
}

interface Sandbox {
  task: AgentTask;
  podUID: string;
  /** Creates a token for the pod's service account, bound to the pod unless `bound` is false. */
  token(over?: { audience?: string; bound?: boolean }): Promise<string>;
}

/** A task with the pod of its first attempt. */
async function aSandbox(): Promise<Sandbox> {
  const task = await aTask();
  const name = "shop-abc-sandbox-1";
  const pod = await world.admin.create(pods, {
    metadata: { name, namespace },
    spec: { containers: [{ name: "agent", image: "agent:1" }], automountServiceAccountToken: false },
  });
  const podUID = pod.metadata.uid ?? "";
  await setStatus(task, { attempts: [{ number: 1, podName: name, podUID }] });
  const token: Sandbox["token"] = async ({ audience = "bellhop-broker", bound = true } = {}) => {
    const boundObjectRef = { apiVersion: "v1", kind: "Pod", name, uid: podUID };
    const account = { namespace, name: "default" };
    const answer = await world.admin.createSubresource<{ status: { token: string } }>(
      serviceAccounts,
      account,
      "token",
      {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { audiences: [audience], expirationSeconds: 600, ...(bound ? { boundObjectRef } : {}) },
      },
    );
    return answer.status.token;
  };
  return { task, podUID, token };
}

const open = (bearer: string): Promise<BrokerAnswer> => broker.call("POST", routes.session, { bearer });

async function opened(sandbox: Sandbox): Promise<Session> {
  const answer = await open(await sandbox.token());
  expect(answer).toMatchObject({ status: 200 });
  return session.parse(JSON.parse(answer.text));
}

const live = (task: AgentTask): Promise<AgentTask> => world.admin.get(AgentTaskKind, task.metadata);

describe("the token of a pod, with a real API server", () => {
  it("opens a session for the pod that the task's attempt names", async () => {
    const given = await opened(await aSandbox());
    const answer = await broker.call("GET", routes.task, { bearer: given.capability });
    expect(answer).toMatchObject({ status: 200, text: '{"stop":false}' });
  });

  it.each([
    { name: "made for another audience", over: { audience: "https://kubernetes.default.svc" } },
    { name: "not bound to a pod", over: { bound: false } },
  ])("opens no session if it is $name", async ({ over }) => {
    const sandbox = await aSandbox();
    expect(await open(await sandbox.token(over))).toMatchObject({ status: 401, code: "Unauthorized" });
  });

  it("opens no session if one letter was changed", async () => {
    const token = await (await aSandbox()).token();
    const at = token.length - 20;
    const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    expect(await open(changed)).toMatchObject({ status: 401, code: "Unauthorized" });
  });

  it("opens no session after the pod is deleted", async () => {
    const sandbox = await aSandbox();
    const token = await sandbox.token();
    await world.admin.delete(pods, { namespace, name: "shop-abc-sandbox-1" }, { gracePeriodSeconds: 0 });
    await eventually(async () => (await open(token)).status === 401, {
      describe: "the token to become invalid with its pod",
    });
  });
});

describe("the fence, read live", () => {
  it("ends a session as soon as a newer attempt is recorded", async () => {
    const sandbox = await aSandbox();
    const { capability } = await opened(sandbox);
    const attempts = [
      { number: 1, podName: "shop-abc-sandbox-1", podUID: sandbox.podUID, reason: "NodeLost" },
      { number: 2, podName: "shop-abc-sandbox-2" },
    ];
    await setStatus(sandbox.task, { attempts });
    const body = { sequence: 0, events: [{ type: "message", text: "still here" }] };
    const answer = await broker.call("POST", routes.events, { bearer: capability, body });
    expect(answer).toMatchObject({ status: 409, code: "Fenced" });
    expect(answer.message).toContain("a newer attempt has replaced this one");
  });

  it("ends a session when a person cancels the task", async () => {
    const sandbox = await aSandbox();
    const { capability } = await opened(sandbox);
    const cancel = { by: "admin" };
    await world.admin.mergePatch(AgentTaskKind, sandbox.task.metadata, { spec: { cancel } });
    expect((await broker.call("GET", routes.task, { bearer: capability })).text).toBe('{"stop":true}');
  });
});

describe("writes of the broker's account, with active admission policies", () => {
  const proposal = { attempt: 1, ref: "refs/heads/bellhop/1", newId: "a".repeat(40), files: 1, patchKiB: 1 };

  it("store progress, summary and proposal, and keep the fields of the operator", async () => {
    const sandbox = await aSandbox();
    const { capability: bearer } = await opened(sandbox);
    await setStatus(sandbox.task, { phase: "Running", result: { branch: "bellhop/1" } });
    const events = [
      { type: "progress", text: "fixing", checklist: [{ text: "read", done: true }] },
      { type: "result", summary: "Fixed." },
    ];
    const recorded = await broker.call("POST", routes.events, { bearer, body: { sequence: 0, events } });
    const body = { ...proposal, oldId: "b".repeat(40), skipped: ["a/.git: git's own"] };
    const first = await broker.call("POST", routes.proposal, { bearer, body });
    const second = await broker.call("POST", routes.proposal, { bearer, body: proposal });
    expect([recorded, first, second].map(({ status }) => status)).toEqual([204, 204, 204]);
    const { status } = await live(sandbox.task);
    expect(status).toMatchObject({ phase: "Running", attempts: [{ podUID: sandbox.podUID }] });
    expect(status?.progress).toMatchObject({ attempt: 1, events: 2, step: "fixing" });
    expect(status?.result).toEqual({ branch: "bellhop/1", summary: "Fixed.", proposed: proposal });
  });

  it("are refused for other fields: the phase and the permission to push", async () => {
    const { task } = await aSandbox();
    for (const forged of [{ phase: "Succeeded" }, { publish: { ref: "refs/heads/main", newId: "a".repeat(40) } }]) {
      const write = asBroker.mergePatch(AgentTaskKind, task.metadata, { status: forged }, { subresource: "status" });
      await expect(write).rejects.toMatchObject({ status: 403 });
    }
    await expect(asBroker.get(secrets, { namespace, name: "any" })).rejects.toMatchObject({ status: 403 });
  });
});

describe("a push, with a real API server", () => {
  it("succeeds only with the permission and the token of the operator", async () => {
    const sandbox = await aSandbox();
    const { capability: bearer } = await opened(sandbox);
    const { id: installation } = await github.people.installApp({ app: "bellhop", on: "acme" });
    const password = await github.people.createInstallationToken({ installation });
    const credential = { username: "x", password, cloneURL: `${github.url}/acme/shop.git` };
    const secret = credentials(sandbox.task.metadata.uid ?? "", { fetch: credential, push: credential });
    await world.admin.create(secrets, secret);
    const cwd = github.gitDir("acme/shop");
    const base = (await runGit(["rev-parse", "main"], { cwd })).out.trim();
    const args = ["push", `${broker.url}/git/7001`, `${base}:refs/heads/bellhop/1`];
    const denied = await runGit(args, { cwd, broker, bearer });
    expect(denied.err).toContain("403");
    await setStatus(sandbox.task, { publish: { ref: "refs/heads/bellhop/1", newId: base } });
    expect(await runGit(args, { cwd, broker, bearer })).toMatchObject({ code: 0 });
    expect((await runGit(["rev-parse", "bellhop/1"], { cwd })).out.trim()).toBe(base);
  });
});
