import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { startCandidate, type Candidate } from "../../test/cluster/candidates.ts";
import { aNamespace } from "../../test/cluster/namespace.ts";
import { connect } from "./config.ts";
import { leases, type Lease } from "./resources.ts";
import type { KubeConnection } from "./types.ts";

let client: KubeConnection;
let namespace: string;
const candidates: Candidate[] = [];

beforeAll(async () => {
  ({ client } = await connect({ kubeconfig: inject("kubeconfigPath") }));
});
beforeEach(async () => {
  namespace = await aNamespace(client);
});
afterEach(() => {
  for (const { child } of candidates.splice(0)) child.kill("SIGKILL");
});
afterAll(() => client.close());

function start(identity: string): Candidate {
  const candidate = startCandidate({ kubeconfigPath: inject("kubeconfigPath"), namespace, identity });
  candidates.push(candidate);
  return candidate;
}

async function aLeaderAndAStandby(): Promise<[Candidate, Candidate]> {
  const leader = start("one");
  await leader.said("leads");
  const standby = start("two");
  await standby.said("waits");
  await renewal();
  expect(standby.lines).toEqual(["waits"]);
  return [leader, standby];
}

/** Two renewals, after which the standby has read the lease. */
async function renewal(): Promise<void> {
  const read = async () => (await client.get(leases, { namespace, name: "operator" })).spec?.renewTime;
  for (let times = 0; times < 2; times++) {
    const before = await read();
    await expect.poll(read, { interval: 50 }).not.toBe(before);
  }
}

/** Every state of the lease, from the current one to the first one in which the standby holds it. */
async function statesUntilTwo(): Promise<NonNullable<Lease["spec"]>[]> {
  const { items, resourceVersion } = await client.list(leases, { namespace });
  const states = items.map(({ spec }) => spec ?? {});
  for await (const { object } of client.watch(leases, { namespace, resourceVersion, timeoutSeconds: 80 })) {
    states.push(object.spec ?? {});
    if (object.spec?.holderIdentity === "two") return states;
  }
  throw new Error("the standby did not take over");
}

// `make bench BENCH=leader` measures the duration; leader.test.ts checks that the standby waits until the lease has expired, with a
// fake clock.
describe("two candidates for one lease", () => {
  it("change roles when the leader stops cleanly and releases the lease", async () => {
    const [leader, standby] = await aLeaderAndAStandby();
    const states = statesUntilTwo();
    leader.child.kill("SIGTERM");
    await standby.said("leads");
    expect(leader.lines).toEqual(["waits", "leads"]);
    expect((await states).map(({ holderIdentity }) => holderIdentity).slice(-2)).toEqual(["", "two"]);
    const { spec } = await client.get(leases, { namespace, name: "operator" });
    expect(spec).toMatchObject({ holderIdentity: "two", leaseTransitions: 1, leaseDurationSeconds: 15 });
  });

  it("change roles when the leader is killed: the standby takes the lease that was not released", async () => {
    const [leader, standby] = await aLeaderAndAStandby();
    const states = statesUntilTwo();
    leader.child.kill("SIGKILL");
    await standby.said("leads");
    expect(standby.lines).toEqual(["waits", "leads"]);
    expect((await states).slice(-2)).toMatchObject([
      { holderIdentity: "one", leaseTransitions: 0, leaseDurationSeconds: 15 },
      { holderIdentity: "two", leaseTransitions: 1 },
    ]);
  });
});
