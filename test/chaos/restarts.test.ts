import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentTask } from "../../src/api/kinds.ts";
import { leases, pods } from "../../src/kube/resources.ts";
import { eventually } from "../cluster/namespace.ts";
import { failing, type Delivery } from "../providers/github/index.ts";
import { nothingHeld, type StoredTokens, watchStoredTokens } from "../integration/journey/world/canaries.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { agentOf, courierSaid } from "../integration/journey/world/sandbox.ts";
import { anIssue, reasonOf, type CommentId, type Thread } from "../integration/journey/world/thread.ts";
import { aTeam, gated } from "../integration/journey/world/team.ts";

/** A requested task, and the function that lets its agent end. */
interface Held {
  thread: Thread;
  commentId: CommentId;
  task: AgentTask;
  open: () => Promise<void>;
}

describe("processes that stop and start again", () => {
  let world: World;
  let stored: StoredTokens;
  beforeAll(async () => {
    world = await startWorld();
    stored = await watchStoredTokens(world);
  });
  afterAll(async () => {
    stored?.stop();
    await world?.close();
  });

  it("continues tasks of every phase after the operator was killed: each gets one comment, one pull request, one pod", async () => {
    const { github } = world;
    const refuse = (path: RegExp) => github.fail({ method: "GET", path }, failing.secondaryRateLimit(2));
    refuse(/^\/repos\/pending\/shop\/issues\/comments\//);
    refuse(/^\/repos\/preparing\/shop\/branches\/main$/);
    github.fail({ method: "POST", path: /^\/publishing\/shop(\.git)?\/git-receive-pack$/ }, failing.slow(30_000));
    const [unreported, running, queued, pending, preparing] = await Promise.all([
      atWork("unreported"),
      atWork("running"),
      atWork("queued"),
      held("pending", ({ status }) => (status?.phase ?? "Pending") === "Pending"),
      held("preparing", phaseIs("Preparing")),
    ]);
    const [publishing] = await Promise.all([
      held("publishing", ({ status }) => status?.publish !== undefined),
      endUnreported(unreported),
    ]);
    const second = await queued.thread.ask("and that", "bob");
    await queued.thread.until(second, "the second task to wait", phaseIs("Queued"));
    const all = [unreported, running, queued, pending, preparing, publishing];
    const phases = all.map(({ thread, commentId }) => phaseOf(thread, commentId));
    expect(phases).toEqual(["Succeeded", "Running", "Running", "Pending", "Preparing", "Publishing"]);

    await world.kill("operator");
    github.clearFailures();
    await world.start("operator");
    await Promise.all(all.map(({ open }) => open()));

    for (const { thread, commentId } of [...all, { thread: queued.thread, commentId: second }]) {
      const task = await thread.reported(commentId);
      expect(reasonOf(task), JSON.stringify(task.status)).toBe("Published");
      expect(task.status?.attempts?.map(({ number }) => number)).toEqual([1]);
    }
    for (const { thread } of all) {
      const tasks = thread === queued.thread ? 2 : 1;
      expect(await thread.botComments()).toHaveLength(tasks);
      expect(await thread.pulls()).toHaveLength(1);
      expect(await podsOf(thread)).toHaveLength(tasks);
    }
  });

  it("publishes work that ended while the broker was away", async () => {
    const { thread, commentId, open, task } = await atWork("broker-away");
    await agentOf(world, task);
    await world.kill("broker");
    await open();
    // Until the courier has called the broker without success: a broker that starts too early might not be missed.
    await courierSaid(world, task, "could not send the last events");
    await courierSaid(world, task, "workspace imported");
    await world.start("broker");
    await isPublishedOnce(thread, commentId);
  });

  it("publishes work that ended while the API server was away, and handles new comments when it is back", async () => {
    const { thread, commentId, open, task } = await atWork("api-away");
    await agentOf(world, task);
    await world.controlPlane.stopApiServer();
    await open();
    const missed = await thread.ask("status");
    expect(world.github.deliveries("issue_comment").at(-1)).toMatchObject({ statusCode: 503 });
    await world.controlPlane.startApiServer();
    // An operator that could not renew its Lease during the outage may end only now; as a kubelet does, start it again.
    let isPublished = false;
    const publishing = isPublishedOnce(thread, commentId).then(() => (isPublished = true));
    const reviving = eventually(async () => world.revive().then(() => isPublished), {
      describe: "the publication, with processes that are started again",
      timeoutMs: 150_000,
    });
    await Promise.all([publishing, reviving]);

    // The operator that led through the outage asks for it, or the one that leads after it.
    expect((await thread.reported(missed)).status?.phase).toBe("Succeeded");
    expect(storedAttempts(missed)).toBe(1);
  });

  it("asks once for a delivery that no gateway received, as soon as an operator leads", async () => {
    const thread = await anIssue(await aTeam(world, "unled"));
    await Promise.all([world.kill("operator"), world.kill("gateway")]);
    const missed = await thread.ask("status");
    await world.github.settled();
    await Promise.all([world.start("gateway"), world.start("operator")]);
    expect((await thread.reported(missed)).status?.phase).toBe("Succeeded");
    expect(storedAttempts(missed)).toBe(1);
  });

  it("asks once for a delivery that no gateway received, as soon as a provider that did not answer is back", async () => {
    const thread = await anIssue(await aTeam(world, "unreachable"));
    const away = world.github.fail({ path: /.*/ }, { kind: "answer", status: 503, headers: { "retry-after": "1" } });
    const heard = await thread.ask("status");
    await eventually(() => away.hits > 0, { describe: "the operator to find the provider unavailable" });
    await world.kill("gateway");
    const missed = await thread.ask("status");
    await world.github.settled();
    await world.start("gateway");
    const ended = `"of":"${new URL(world.github.url).host}"`;
    expect(world.parts.operator?.tail(5_000)).not.toContain(ended);
    away.stop();
    await Promise.all([heard, missed].map((id) => thread.reported(id)));
    expect(storedAttempts(missed)).toBe(1);
    expect(world.parts.operator?.tail(5_000)).toContain(ended);
  });

  it("has one leading operator, and the other continues when that one stops in the middle of its work", async () => {
    const { thread, commentId, open } = await atWork("handed-over");
    await world.start("operator-2");
    await eventually(() => world.parts["operator-2"]?.tail(200).includes("informers have synced"), {
      describe: "the second operator to stand by",
    });
    expect(await leader()).toMatch(/^operator_/);
    const comment = { method: "GET", path: /^\/repos\/handed-over\/shop\/issues\/comments\// };
    const unanswered = world.github.fail(comment, failing.slow(30_000), { times: 1 });
    const asked = await thread.ask("status");
    await eventually(() => unanswered.hits > 0, { describe: "the first operator to wait for GitHub" });
    const stopped = world.parts.operator?.stop(10_000);
    await eventually(async () => (await leader())?.startsWith("operator-2_"), {
      describe: "the second operator to lead after a clean stop of the first",
      timeoutMs: 60_000,
    });
    await stopped;
    await open();
    await isPublishedOnce(thread, commentId);
    expect((await thread.reported(asked)).status?.phase).toBe("Succeeded");
  });

  it("leaves no token of any task behind", async () => {
    await nothingHeld(world, stored);
    world.github.assertClean();
  });

  /** Starts a task and waits until it has reached `wanted`. Its agent does not end before its gate is opened. */
  async function held(org: string, wanted: (task: AgentTask) => boolean): Promise<Held> {
    const gate = join(world.folder, org);
    const open = (): Promise<void> => writeFile(gate, "");
    if (org === "publishing") await open();
    const team = await aTeam(world, org, { profile: { agent: gated(gate) } });
    const thread = await anIssue(team);
    const commentId = await thread.ask("please fix this");
    return { thread, commentId, open, task: await thread.until(commentId, `${org} to be held`, wanted) };
  }

  function atWork(org: string): Promise<Held> {
    return held(org, phaseIs("Running"));
  }

  /** Lets a task end while GitHub refuses updates of its report. */
  async function endUnreported({ thread, commentId, open }: Held): Promise<void> {
    world.github.fail(
      { method: "PATCH", path: new RegExp(`^/repos/${thread.repo}/issues/comments/`) },
      failing.secondaryRateLimit(2),
    );
    await open();
    await thread.until(commentId, "the work to be done, not reported", phaseIs("Succeeded"));
  }

  async function isPublishedOnce(thread: Thread, commentId: CommentId): Promise<void> {
    const task = await thread.reported(commentId);
    expect(reasonOf(task), JSON.stringify(task.status)).toBe("Published");
    expect(await thread.pulls()).toHaveLength(1);
    expect(await podsOf(thread)).toHaveLength(1);
    expect((await thread.botComments()).filter(({ body }) => body.includes(task.metadata.uid ?? ""))).toHaveLength(1);
  }

  function phaseIs(phase: string): (task: AgentTask) => boolean {
    return ({ status }) => status?.phase === phase;
  }

  function phaseOf(thread: Thread, commentId: CommentId): string | undefined {
    const tasks = world.tasks.list(thread.team.namespace);
    return tasks.find(({ spec }) => spec.source.object?.id === commentId)?.status?.phase;
  }

  /** How many attempts to deliver a comment a gateway accepted. */
  function storedAttempts(commentId: CommentId): number {
    const isAbout = ({ request: { payload } }: Delivery): boolean =>
      String((payload.comment as { id?: number } | undefined)?.id) === commentId;
    return world.github.deliveries("issue_comment").filter((each) => isAbout(each) && each.statusCode === 202).length;
  }

  async function podsOf({ team: { namespace } }: Thread): Promise<string[]> {
    return (await world.client.list(pods, { namespace })).items.map(({ metadata }) => metadata.name);
  }

  async function leader(): Promise<string | undefined> {
    const lease = await world.client.get(leases, { namespace: world.namespace, name: "bellhop-operator" });
    return lease.spec?.holderIdentity;
  }
});
