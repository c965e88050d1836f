import { describe, expect, it } from "vitest";
import { anIntegration } from "../../intake/testing.ts";
import { anIngress, aConnection, aProvider } from "../../integrations/testing.ts";
import type { Integration } from "../../integrations/integration.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { recover, recoverSince } from "./recover.ts";
import { aSource, integrationDeps } from "./unit/testing.ts";

const created = "2026-03-01T11:00:00.000Z";
const now = "2026-03-01T12:00:00Z";
const hourMs = 3_600_000;
const patiently = new AbortController().signal;

const integration = (status: object = {}, spec: object = {}): Integration => {
  const made = anIntegration({ uid: "u1", spec, status });
  return { ...made, metadata: { ...made.metadata, creationTimestamp: created } };
};

const look = (
  answer: { asked: number; cursor: Date },
  of = integration(),
  others: Integration[] = [],
): Promise<{ recoveredUntil?: string }> => {
  const source = aSource([of, ...others], aProvider({ ingress: anIngress({ sharedBy: "apps/1" }) }));
  const deps = integrationDeps({ clock: new FakeClock(now), source });
  const connection = aConnection({ missed: { redeliverMissed: async () => answer } });
  const proven = [of, ...others].map(({ metadata }) => metadata.uid ?? "");
  return recover(deps, connection, { integration: of, secret: { proven } }, patiently);
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
