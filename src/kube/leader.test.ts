import { Registry } from "prom-client";
import { describe, expect, it, onTestFinished } from "vitest";
import { sleep } from "../shared/clock.ts";
import { FakeClock } from "../shared/fake-clock.ts";
import { silentLogger } from "../shared/log.ts";
import { createLeader } from "./leader.ts";
import { createKubeMetrics } from "./metrics.ts";
import { leases } from "./resources.ts";
import { failure } from "./memory/testing.ts";
import { createFakeClient } from "./testing.ts";

function aField() {
  const clock = new FakeClock();
  const client = createFakeClient();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const candidate = (identity: string) => {
    const lost: string[] = [];
    const renewals: boolean[] = [];
    const registry = new Registry();
    const metrics = createKubeMetrics(registry);
    const leader = createLeader({
      client,
      namespace: "bellhop",
      name: "operator",
      identity,
      clock,
      log: silentLogger,
      metrics,
      onLost: (reason) => lost.push(reason),
      onRenewal: (answered) => renewals.push(answered),
    });
    const acquiring = leader.acquire(stop.signal).catch(() => undefined);
    return { leader, lost, renewals, registry, acquiring };
  };
  const holder = () => client.objects(leases)[0]?.spec?.holderIdentity;
  return { clock, client, candidate, holder };
}

describe("leader", () => {
  it("leads at once if there is no lease, and sets the metric", async () => {
    const { clock, candidate, client } = aField();
    const one = candidate("one");
    await clock.advance(0);
    expect(one.leader.isLeader).toBe(true);
    expect(client.objects(leases)[0]?.spec).toMatchObject({
      holderIdentity: "one",
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      renewTime: "2026-01-01T00:00:00.000000Z",
    });
    expect(await one.registry.metrics()).toContain('leader_election_master_status{name="operator"} 1');
  });

  it("renews every two seconds, and no other candidate leads", async () => {
    const { clock, candidate, holder } = aField();
    const one = candidate("one");
    await clock.advance(0);
    const two = candidate("two");
    await clock.advance(120_000);
    expect([one.leader.isLeader, two.leader.isLeader, holder()]).toEqual([true, false, "one"]);
    expect(one.lost).toEqual([]);
  });

  it("is followed by the next leader within 3 s after a clean stop", async () => {
    const { clock, candidate, holder } = aField();
    const one = candidate("one");
    await clock.advance(0);
    const two = candidate("two");
    await clock.advance(31_000);
    await one.leader.release();
    expect(holder()).toBe("");
    await clock.advance(3_000);
    expect([one.leader.isLeader, two.leader.isLeader]).toEqual([false, true]);
    expect(one.lost).toEqual([]);
  });

  it("is followed within 3 s even if it stops during a renewal that is written anyway", async () => {
    const { clock, client, candidate, holder } = aField();
    client.after = ({ verb }) => {
      if (verb !== "replace") return undefined;
      client.after = () => undefined;
      return new Promise(() => {});
    };
    const one = candidate("one");
    await clock.advance(1_000);
    const two = candidate("two");
    await clock.advance(1_000);
    expect(client.objects(leases)[0]?.spec?.renewTime).toBe("2026-01-01T00:00:02.000000Z");
    await one.leader.release();
    expect(holder()).toBe("");
    await clock.advance(3_000);
    expect([two.leader.isLeader, one.lost]).toEqual([true, []]);
  });

  it("does not release a lease that another has taken meanwhile", async () => {
    const { clock, client, candidate, holder } = aField();
    const one = candidate("one");
    await clock.advance(0);
    const lease = client.objects(leases)[0];
    if (lease) client.seed(leases, { ...lease, spec: { ...lease.spec, holderIdentity: "two" } });
    await one.leader.release();
    expect(holder()).toBe("two");
  });

  it("is replaced within 20 s after it dies, and not before its lease has expired", async () => {
    const { clock, client, candidate } = aField();
    const one = candidate("one");
    await clock.advance(0);
    const two = candidate("two");
    await clock.advance(31_000);
    client.before = ({ verb, body }) => {
      const dead = verb === "replace" && JSON.stringify(body).includes('"one"');
      if (dead) throw failure(0, "Unreachable");
    };
    await clock.advance(13_900);
    expect(two.leader.isLeader).toBe(false);
    await clock.advance(6_100);
    expect(two.leader.isLeader).toBe(true);
    expect(one.leader.isLeader).toBe(false);
    expect(one.lost).toHaveLength(1);
  });

  it("is replaced within 20 s after it dies while the other waits for an answer that never comes", async () => {
    const { clock, client, candidate } = aField();
    candidate("one");
    await clock.advance(0);
    const two = candidate("two");
    await clock.advance(31_000);
    let asked = false;
    client.before = ({ verb, body }) => {
      if (verb === "replace" && JSON.stringify(body).includes('"one"')) throw failure(0, "Unreachable");
      if (verb !== "find" || asked) return undefined;
      asked = true;
      return new Promise(() => {});
    };
    await clock.advance(20_000);
    expect([asked, two.leader.isLeader]).toEqual([true, true]);
  });

  it("gives up before its lease expires when it cannot renew, so that two never lead", async () => {
    const { clock, client, candidate } = aField();
    const one = candidate("one");
    await clock.advance(0);
    client.before = ({ verb }) => {
      if (verb === "replace") throw failure(503, "ServiceUnavailable");
    };
    await clock.advance(9_000);
    expect(one.lost).toEqual([]);
    await clock.advance(3_000);
    expect(one.lost).toEqual(["not renewed for 10 s"]);
    expect(one.leader.isLeader).toBe(false);
    expect(await one.registry.metrics()).toContain('leader_election_master_status{name="operator"} 0');
  });

  it("reports for each renewal whether the API server answered, so that the end of an outage is noticed", async () => {
    const { clock, client, candidate } = aField();
    const one = candidate("one");
    await clock.advance(2_000);
    client.before = ({ verb }) => {
      if (verb === "replace") throw failure(503, "ServiceUnavailable");
    };
    await clock.advance(4_000);
    client.before = () => undefined;
    await clock.advance(2_000);
    expect(one.renewals).toEqual([true, false, false, true]);
    expect(one.lost).toEqual([]);
  });

  it("does not take a conflict for an outage: the API server answered", async () => {
    const { clock, client, candidate } = aField();
    const one = candidate("one");
    await clock.advance(2_000);
    client.before = ({ verb }) => {
      if (verb === "replace") throw failure(409, "Conflict");
    };
    await clock.advance(2_000);
    expect(one.renewals).toEqual([true, true]);
  });

  it("gives up at the deadline when the API server does not answer at all", async () => {
    const { clock, client, candidate } = aField();
    const one = candidate("one");
    await clock.advance(0);
    client.before = () => new Promise(() => {});
    await clock.advance(9_999);
    expect(one.lost).toEqual([]);
    await clock.advance(1);
    expect(one.lost).toEqual(["not renewed for 10 s"]);
  });

  it("gives up at the deadline even if its wall clock is set back meanwhile", async () => {
    const { clock, client, candidate } = aField();
    const one = candidate("one");
    await clock.advance(4_000);
    client.before = () => new Promise(() => {});
    clock.stepWall(-60_000);
    await clock.advance(10_000);
    expect(one.lost).toEqual(["not renewed for 10 s"]);
  });

  it("keeps its lease, and a standby does not take it, when the wall clock is set forward", async () => {
    const { clock, client, candidate } = aField();
    const one = candidate("one");
    await clock.advance(0);
    const two = candidate("two");
    await clock.advance(5_000);
    client.before = ({ verb }) => (verb === "replace" ? sleep(clock, 50) : undefined);
    clock.stepWall(60_000);
    await clock.advance(20_000);
    expect([one.leader.isLeader, two.leader.isLeader, one.lost]).toEqual([true, false, []]);
  });

  it("renews late but in time after a busy event loop delayed it past its deadline", async () => {
    const { clock, candidate, holder } = aField();
    const one = candidate("one");
    await clock.advance(0);
    await clock.stall(12_000);
    const two = candidate("two");
    await clock.advance(60_000);
    expect([one.leader.isLeader, two.leader.isLeader, holder()]).toEqual([true, false, "one"]);
    expect(one.lost).toEqual([]);
  });

  it("gives up after a stall that left too little of the lease to renew it", async () => {
    const { clock, candidate } = aField();
    const one = candidate("one");
    await clock.advance(0);
    await clock.stall(14_000);
    expect(one.leader.isLeader).toBe(false);
    expect(one.lost).toEqual(["not renewed for 10 s"]);
  });

  it("is lost at once when another holds the lease", async () => {
    const { clock, client, candidate } = aField();
    const one = candidate("one");
    await clock.advance(0);
    const lease = client.objects(leases)[0];
    if (lease) client.seed(leases, { ...lease, spec: { ...lease.spec, holderIdentity: "two" } });
    await clock.advance(2_000);
    expect(one.lost).toEqual(["the lease is held by two"]);
  });

  it("keeps leading when somebody else only labelled the lease", async () => {
    const { clock, client, candidate } = aField();
    const one = candidate("one");
    await clock.advance(0);
    const lease = client.objects(leases)[0];
    if (lease) client.seed(leases, { ...lease, metadata: { ...lease.metadata, labels: { a: "b" } } });
    await clock.advance(20_000);
    expect(one.lost).toEqual([]);
    expect(one.leader.isLeader).toBe(true);
  });

  it("retries while the API server is unreachable", async () => {
    const { clock, client, candidate } = aField();
    client.before = () => {
      throw failure(0, "Unreachable");
    };
    const one = candidate("one");
    await clock.advance(60_000);
    expect(one.leader.isLeader).toBe(false);
    client.before = () => undefined;
    await clock.advance(2_000);
    expect(one.leader.isLeader).toBe(true);
  });

  it("lets one of two win that try at the same time", async () => {
    const { clock, candidate } = aField();
    const [one, two] = [candidate("one"), candidate("two")];
    await clock.advance(10_000);
    expect([one.leader.isLeader, two.leader.isLeader].filter(Boolean)).toHaveLength(1);
  });

  it("stops waiting when its signal aborts", async () => {
    const { clock, client } = aField();
    const stop = new AbortController();
    const options = { client, namespace: "bellhop", name: "operator", clock, log: silentLogger, onLost: () => {} };
    client.seed(leases, {
      metadata: { namespace: "bellhop", name: "operator" },
      spec: { holderIdentity: "other", leaseDurationSeconds: 15, renewTime: "2026-01-01T00:00:00.000000Z" },
    });
    let outcome: unknown;
    createLeader({ ...options, identity: "me" })
      .acquire(stop.signal)
      .catch((error: unknown) => (outcome = error));
    await clock.advance(1_000);
    expect(outcome).toBeUndefined();
    stop.abort(new Error("stopping"));
    await clock.advance(0);
    expect(outcome).toMatchObject({ message: "stopping" });
  });
});
