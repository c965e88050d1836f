import { describe, expect, it } from "vitest";
import { anIntegration } from "../../intake/testing.ts";
import { anIngress, aConnection, aProvider } from "../../integrations/testing.ts";
import type { Integration } from "../../integrations/integration.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { recover, recoverSince, type Recovered } from "./recover.ts";
import { aSource, integrationDeps } from "./unit/testing.ts";

const created = "2026-03-01T11:00:00.000Z";
const now = "2026-03-01T12:00:00Z";
const hourMs = 3_600_000;
const patiently = new AbortController().signal;

const integration = (status: object = {}, spec: object = {}): Integration => {
  const made = anIntegration({ uid: "u1", spec, status });
  return { ...made, metadata: { ...made.metadata, creationTimestamp: created } };
};

const look = async (
  answer: { asked: number; cursor: Date },
  of = integration(),
  others: Integration[] = [],
): Promise<Recovered["status"]> => {
  const source = aSource([of, ...others], aProvider({ ingress: anIngress({ sharedBy: "apps/1" }) }));
  const deps = integrationDeps({ clock: new FakeClock(now), source });
  const connection = aConnection({
    missed: { host: "api.acme.example", redeliverMissed: async () => ({ more: false, ...answer }) },
  });
  const proven = [of, ...others].map(({ metadata }) => metadata.uid ?? "");
  return (await recover(deps, connection, { integration: of, secret: { proven } }, patiently)).status;
};

describe("recover", () => {
  it("records until when it searched the log", async () => {
    const cursor = new Date("2026-03-01T11:30:00.000Z");
    expect(await look({ asked: 0, cursor })).toEqual({ recoveredUntil: cursor.toISOString() });
  });

  it("records a redelivery in the same second that the search started with, because the log has whole seconds", async () => {
    expect(await look({ asked: 1, cursor: new Date(created) })).toEqual({ recoveredUntil: created });
  });

  it("writes nothing if no delivery was missed and the log has nothing new", async () => {
    expect(await look({ asked: 0, cursor: new Date(created) })).toEqual({});
  });

  it("searches for missed deliveries of a manually managed hook, once for all that share it", async () => {
    const answer = { asked: 1, cursor: new Date(now) };
    const by = (name: string, createdAt: string, install = "Manual"): Integration => {
      const made = integration({}, { webhook: { install } });
      return { ...made, metadata: { ...made.metadata, name, uid: name, creationTimestamp: createdAt } };
    };
    const [old, young] = [by("old", "2026-03-01T10:00:00Z"), by("young", created)];
    expect(await look(answer, old, [young])).toEqual({ recoveredUntil: new Date(now).toISOString() });
    expect(await look(answer, young, [old])).toEqual({});
    const keeper = by("keeper", created, "Auto");
    expect(await look(answer, old, [keeper])).toEqual({});
    expect(await look(answer, keeper, [old])).toEqual({ recoveredUntil: new Date(now).toISOString() });
  });

  it("skips the time of a suspension", async () => {
    const suspended = integration({}, { suspend: true });
    expect(await look({ asked: 9, cursor: new Date(now) }, suspended)).toEqual({
      recoveredUntil: new Date(now).toISOString(),
    });
  });
});

describe("recovery of a shared hook", () => {
  const keeper = integration({}, { suspend: true });
  const another = (spec: object): Integration => {
    const other = integration({}, spec);
    return { ...other, metadata: { ...other.metadata, name: "till", uid: "u2" } };
  };

  it("continues for the others while its keeper is suspended, and pauses when all are suspended", async () => {
    const cursor = new Date("2026-03-01T11:30:00.000Z");
    expect(await look({ asked: 1, cursor }, keeper, [another({})])).toEqual({ recoveredUntil: cursor.toISOString() });
    expect(await look({ asked: 1, cursor }, keeper, [another({ suspend: true })])).toEqual({
      recoveredUntil: new Date(now).toISOString(),
    });
  });
});

describe("recoverSince", () => {
  const at = new Date(now);

  it("never searches before the integration was created, nor a period that was searched before", () => {
    expect(recoverSince(integration(), 24 * hourMs, at).toISOString()).toBe(created);
    const looked = integration({ recoveredUntil: "2026-03-01T11:40:00.000Z" });
    expect(recoverSince(looked, 24 * hourMs, at).toISOString()).toBe("2026-03-01T11:40:00.000Z");
  });

  it("searches at most one window back", () => {
    expect(recoverSince(integration(), hourMs / 2, at).toISOString()).toBe("2026-03-01T11:30:00.000Z");
  });
});

/** Integrations that were searched a minute ago, and the searches of their logs by name. */
function aWorld({
  names = ["shop"],
  more = [],
  spec = {},
}: { names?: string[]; more?: boolean[]; spec?: object } = {}) {
  const clock = new FakeClock(now);
  const all = names.map((name) => {
    const made = integration({ recoveredUntil: "2026-03-01T11:59:00.000Z" }, spec);
    return { ...made, metadata: { ...made.metadata, name, uid: name } };
  });
  const deps = integrationDeps({ clock, source: aSource(all) });
  const searches: string[] = [];
  let during = (): void => {};
  const look = async (name = names[0]): Promise<Recovered> => {
    const [of] = all.filter(({ metadata }) => metadata.name === name);
    if (!of) throw new Error(`there is no integration ${name}`);
    const redeliverMissed = async (since: Date): Promise<{ asked: number; cursor: Date; more: boolean }> => {
      searches.push(of.metadata.name);
      during();
      return { asked: 0, cursor: since, more: more.shift() ?? false };
    };
    const connection = aConnection({ missed: { host: "api.acme.example", redeliverMissed } });
    return recover(deps, connection, { integration: of, secret: { proven: [] } }, patiently);
  };
  const outages = deps.outages;
  const apiServerWasAway = (): void => {
    outages.suspected();
    outages.answered();
  };
  return { clock, outages, apiServerWasAway, searches, look, whileSearching: (act: () => void) => (during = act) };
}

describe("the time of a search", () => {
  it("is the beginning of leadership, then 30 s and 2 min later, and then every five minutes", async () => {
    const { clock, searches, look } = aWorld();
    expect(await look()).toMatchObject({ againMs: 30_000 });
    expect(await look()).toMatchObject({ againMs: 30_000 });
    expect(searches).toHaveLength(1);
    await clock.advance(30_000);
    expect(await look()).toMatchObject({ againMs: 90_000 });
    await clock.advance(90_000);
    expect(await look()).toEqual({ status: {} });
    expect(searches).toHaveLength(3);
    await clock.advance(60_000);
    await look();
    expect(searches).toHaveLength(3);
    await clock.advance(60_000);
    await look();
    expect(searches).toHaveLength(4);
  });

  it("is the end of an outage of the API server, also during those two minutes, and not its beginning", async () => {
    const { clock, outages, searches, look } = aWorld();
    await look();
    await clock.advance(100);
    outages.answered();
    await look();
    expect(searches).toHaveLength(1);
    outages.suspected();
    await look();
    expect(searches).toHaveLength(1);
    outages.answered();
    await look();
    expect(searches).toHaveLength(2);
  });

  it("is the end of an outage of the provider, for the logs of that host", async () => {
    const { clock, outages, searches, look } = aWorld();
    await look();
    await clock.advance(100);
    outages.hostAnswered("api.other.example");
    await look();
    expect(searches).toHaveLength(1);
    outages.hostAnswered("api.acme.example");
    await look();
    expect(searches).toHaveLength(2);
  });

  it("comes again if an outage ended while the log was read", async () => {
    const { clock, apiServerWasAway, searches, look, whileSearching } = aWorld();
    whileSearching(apiServerWasAway);
    await look();
    whileSearching(() => {});
    await clock.advance(100);
    await look();
    await look();
    expect(searches).toHaveLength(2);
  });

  it("is the next moment if deliveries were left", async () => {
    const { searches, look } = aWorld({ more: [true, true] });
    expect(await look()).toMatchObject({ againMs: 1_000 });
    expect(await look()).toMatchObject({ againMs: 1_000 });
    expect(await look()).toMatchObject({ againMs: 30_000 });
    expect(searches).toHaveLength(3);
  });

  it("passes in a suspension: the status is not written again and again", async () => {
    const { searches, look } = aWorld({ spec: { suspend: true } });
    expect(await look()).toEqual({ status: { recoveredUntil: "2026-03-01T12:00:00.000Z" }, againMs: 30_000 });
    expect(await look()).toEqual({ status: {}, againMs: 30_000 });
    expect(searches).toEqual([]);
  });
});

describe("the searches of many integrations", () => {
  const names = ["a", "b", "c", "d"];
  const lookAtAll = async ({ look }: ReturnType<typeof aWorld>): Promise<void> => {
    for (const name of names) await look(name);
  };

  it("begin a tenth of a second apart", async () => {
    const world = aWorld({ names });
    await lookAtAll(world);
    expect(world.searches).toEqual(["a"]);
    for (const _ of names) {
      await world.clock.advance(100);
      await lookAtAll(world);
    }
    expect(world.searches).toEqual(names);
  });

  it("are announced at the end of an outage, each with its time", async () => {
    const world = aWorld({ names });
    const announced: [string, number][][] = [];
    world.outages.onEnd((due) => announced.push([...due]));
    await lookAtAll(world);
    await world.clock.advance(100_000);
    await lookAtAll(world);
    world.apiServerWasAway();
    expect(announced).toEqual([
      [
        ["a", 0],
        ["b", 100],
        ["c", 200],
        ["d", 300],
      ],
    ]);
  });

  it("keep their place when the API server fails again and again", async () => {
    const world = aWorld({ names });
    await lookAtAll(world);
    for (let n = 0; n < 20; n++) world.apiServerWasAway();
    await world.clock.advance(300);
    expect(await world.look("d")).toMatchObject({ againMs: 30_000 });
    expect(world.searches).toEqual(["a", "d"]);
  });

  it("are forgotten with a deleted integration", async () => {
    const world = aWorld({ names });
    const announced: string[][] = [];
    world.outages.onEnd((due) => announced.push([...due.keys()]));
    await lookAtAll(world);
    world.outages.forget("b");
    world.apiServerWasAway();
    expect(announced).toEqual([["a", "c", "d"]]);
  });
});
