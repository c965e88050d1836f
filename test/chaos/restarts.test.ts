import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentTask } from "../../src/api/kinds.ts";
import { leases, pods } from "../../src/kube/resources.ts";
import { eventually } from "../cluster/namespace.ts";
import { call } from "../providers/github/testing.ts";
import { failing } from "../providers/github/index.ts";
import { nothingHeld, type StoredTokens, watchStoredTokens } from "../integration/journey/world/canaries.ts";
import { startWorld, type World } from "../integration/journey/world/index.ts";
import { agentOf, courierSaid } from "../integration/journey/world/sandbox.ts";
import { anIssue, reasonOf, type Said, type Story } from "../integration/journey/world/story.ts";
import { aTeam, gated } from "../integration/journey/world/team.ts";

/** Work that was asked for, and how to let it end. */
interface Held {
  story: Story;
  said: Said;
  task: AgentTask;
  open: () => Promise<void>;
}

describe("processes that come and go", () => {
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

  it("lets an operator that was killed in every phase of a task go on with each: one comment, one pull request, one pod", async () => {
    const { github } = world;
    const refuse = (path: RegExp) => github.fail({ method: "GET", path }, failing.secondaryRateLimit(2));
    refuse(/^\/repos\/pending\/shop\/issues\/comments\//);
    refuse(/^\/repos\/preparing\/shop\/branches\/main$/);
    github.fail({ method: "POST", path: /^\/publishing\/shop(\.git)?\/git-receive-pack$/ }, failing.slow(30_000));
    const [told, running, queued, pending, preparing] = await Promise.all([
      atWork("told"),
      atWork("running"),
      atWork("queued"),
      held("pending", ({ status }) => (status?.phase ?? "Pending") === "Pending"),
      held("preparing", phaseIs("Preparing")),
    ]);
    const [publishing] = await Promise.all([
      held("publishing", ({ status }) => status?.publish !== undefined),
      toldNothing(told),
    ]);
    const second = await queued.story.ask("and that", "bob");
    await queued.story.until(second, "the second task to wait", phaseIs("Queued"));
    const all = [told, running, queued, pending, preparing, publishing];
    const stands = all.map(({ story, said }) => phaseOf(story, said));
    expect(stands).toEqual(["Succeeded", "Running", "Running", "Pending", "Preparing", "Publishing"]);

    await world.kill("operator");
    github.clearFailures();
    await world.start("operator");
    await Promise.all(all.map(({ open }) => open()));

    for (const { story, said } of [...all, { story: queued.story, said: second }]) {
      const task = await story.end(said);
      expect(reasonOf(task), JSON.stringify(task.status)).toBe("Published");
      expect(task.status?.attempts?.map(({ number }) => number)).toEqual([1]);
    }
    for (const { story } of all) {
      const tasks = story === queued.story ? 2 : 1;
      expect(await story.ours()).toHaveLength(tasks);
      expect(await story.pulls()).toHaveLength(1);
      expect(await podsOf(story)).toHaveLength(tasks);
    }
  });

  it("publishes work that ended while the broker was away", async () => {
    const { story, said, open, task } = await atWork("broker-away");
    await agentOf(world, task);
    await world.kill("broker");
    await open();
    // Until the courier has needed the broker in vain: back too early, it might not have been missed.
    await courierSaid(world, task, "the last events were not taken");
    await courierSaid(world, task, "workspace imported");
    await world.start("broker");
    await isPublishedOnce(story, said);
  });

  it("publishes work that ended while the API server was away, and hears what is said once it is back", async () => {
    const { story, said, open, task } = await atWork("api-away");
    await agentOf(world, task);
    await world.controlPlane.stopApiServer();
    await open();
    const unheard = await story.ask("status");
    expect(world.github.deliveries("issue_comment").at(-1)).toMatchObject({ statusCode: 503 });
    await world.controlPlane.startApiServer();
    await world.revive();
    await isPublishedOnce(story, said);
    expect(world.tasks.list(story.team.namespace)).toHaveLength(1);

    const delivery = world.github.deliveries("issue_comment").findLast(({ statusCode }) => statusCode === 503);
    const jwt = world.github.appJwt("api-away-bell");
    await call(world.github, `POST /app/hook/deliveries/${delivery?.id ?? 0}/attempts`, jwt);
    expect((await story.end(unheard)).status?.phase).toBe("Succeeded");
  });

  it("has one operator lead, and the other go on where that one stops, in the middle of its work", async () => {
    const { story, said, open } = await atWork("handed-over");
    await world.start("operator-2");
    await eventually(() => world.parts["operator-2"]?.tail(200).includes("informers have synced"), {
      describe: "the second operator to stand by",
    });
    expect(await leader()).toMatch(/^operator_/);
    const comment = { method: "GET", path: /^\/repos\/handed-over\/shop\/issues\/comments\// };
    const unanswered = world.github.fail(comment, failing.slow(30_000), { times: 1 });
    const asked = await story.ask("status");
    await eventually(() => unanswered.hits > 0, { describe: "the first operator to wait for GitHub" });
    const stopped = world.parts.operator?.stop(10_000);
    await eventually(async () => (await leader())?.startsWith("operator-2_"), {
      describe: "the second operator to lead after a clean stop of the first",
      timeoutMs: 60_000,
    });
    await stopped;
    await open();
    await isPublishedOnce(story, said);
    expect((await story.end(asked)).status?.phase).toBe("Succeeded");
  });

  it("leaves no token behind that any task was given", async () => {
    await nothingHeld(world, stored);
    world.github.assertClean();
  });

  /** A task that came as far as `wanted` and does not end before its gate is open. */
  async function held(org: string, wanted: (task: AgentTask) => boolean): Promise<Held> {
    const gate = join(world.folder, org);
    const open = (): Promise<void> => writeFile(gate, "");
    if (org === "publishing") await open();
    const team = await aTeam(world, org, { profile: { agent: gated(gate) } });
    const story = await anIssue(team);
    const said = await story.ask("please fix this");
    return { story, said, open, task: await story.until(said, `${org} to be held`, wanted) };
  }

  function atWork(org: string): Promise<Held> {
    return held(org, phaseIs("Running"));
  }

  /** Lets work end of which GitHub takes no further word. */
  async function toldNothing({ story, said, open }: Held): Promise<void> {
    world.github.fail(
      { method: "PATCH", path: new RegExp(`^/repos/${story.repo}/issues/comments/`) },
      failing.secondaryRateLimit(2),
    );
    await open();
    await story.until(said, "the work to be done, untold", phaseIs("Succeeded"));
  }

  async function isPublishedOnce(story: Story, said: Said): Promise<void> {
    const task = await story.end(said);
    expect(reasonOf(task), JSON.stringify(task.status)).toBe("Published");
    expect(await story.pulls()).toHaveLength(1);
    expect(await podsOf(story)).toHaveLength(1);
    expect((await story.ours()).filter(({ body }) => body.includes(task.metadata.uid ?? ""))).toHaveLength(1);
  }

  function phaseIs(phase: string): (task: AgentTask) => boolean {
    return ({ status }) => status?.phase === phase;
  }

  function phaseOf(story: Story, said: Said): string | undefined {
    const tasks = world.tasks.list(story.team.namespace);
    return tasks.find(({ spec }) => spec.source.object?.id === said)?.status?.phase;
  }

  async function podsOf({ team: { namespace } }: Story): Promise<string[]> {
    return (await world.client.list(pods, { namespace })).items.map(({ metadata }) => metadata.name);
  }

  async function leader(): Promise<string | undefined> {
    const lease = await world.client.get(leases, { namespace: world.namespace, name: "bellhop-operator" });
    return lease.spec?.holderIdentity;
  }
});
