import { expect, it, onTestFinished } from "vitest";
import { leases } from "../../kube/resources.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { holdLease } from "./hold-lease.ts";

/** A process that competes for the Lease, and the calls of its holder. */
function aCompetitor() {
  const clock = new FakeClock();
  const client = createFakeClient();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const calls: string[] = [];
  const holder = {
    begin: () => void calls.push("begin"),
    end: async () => void calls.push("end"),
    lost: () => void calls.push("lost"),
  };
  const options = { client, namespace: "bellhop", name: "sockets", identity: "one", clock, log: silentLogger };
  const over = holdLease(options, holder, stop.signal);
  const holderIs = async (holderIdentity: string): Promise<void> => {
    const lease = await client.get(leases, { namespace: "bellhop", name: "sockets" });
    const renewTime = clock.now().toISOString().replace("Z", "000Z");
    await client.replace(leases, { ...lease, spec: { ...lease.spec, holderIdentity, renewTime } });
  };
  const heldBy = (): string | undefined => client.objects(leases)[0]?.spec?.holderIdentity;
  return { clock, stop, calls, over, holderIs, heldBy };
}

it("a holder that loses the Lease learns it at once, does not end in order, and leaves the Lease to the other", async () => {
  const { clock, calls, holderIs, heldBy } = aCompetitor();
  await clock.advance(0);
  expect(calls).toEqual(["begin"]);
  await holderIs("two");
  await clock.advance(4_000);
  expect(calls).toEqual(["begin", "lost"]);
  expect(heldBy()).toBe("two");
});

it("after a loss it competes again, and holds the Lease when the other releases it", async () => {
  const { clock, calls, holderIs, heldBy } = aCompetitor();
  await clock.advance(0);
  await holderIs("two");
  await clock.advance(4_000);
  await holderIs("");
  await clock.advance(4_000);
  expect(calls).toEqual(["begin", "lost", "begin"]);
  expect(heldBy()).toBe("one");
});

it("a holder that is stopped ends its work before the Lease is released", async () => {
  const { clock, stop, calls, over, heldBy } = aCompetitor();
  await clock.advance(0);
  stop.abort();
  await over;
  expect(calls).toEqual(["begin", "end"]);
  expect(heldBy()).toBe("");
});
