import { describe, expect, it } from "vitest";
import { FakeClock } from "../shared/fake-clock.ts";
import { silentLogger } from "../shared/log.ts";
import { createEventRecorder } from "./events.ts";
import { configMaps, events } from "./resources.ts";
import { failure } from "./memory/testing.ts";
import { createFakeClient } from "./testing.ts";
import type { KubeObject } from "./types.ts";

const object: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { namespace: "team", name: "x", uid: "u-1", resourceVersion: "7" },
};
const content = { type: "Warning", reason: "HookGone", message: "The hook is gone.", action: "Repair" } as const;

function aRecorder() {
  const clock = new FakeClock();
  const client = createFakeClient();
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (_: object, message: string) => warnings.push(message) };
  const recorder = createEventRecorder({ client, component: "bellhop.dev/operator", instance: "pod-1", clock, log });
  return { clock, client, recorder, warnings, written: () => client.objects(events) };
}

describe("event recorder", () => {
  it("writes an Event into the namespace of its object", async () => {
    const { recorder, written } = aRecorder();
    recorder.record(object, content);
    await recorder.flush();
    expect(written()).toMatchObject([
      {
        metadata: { namespace: "team", name: expect.stringMatching(/^x\.[0-9a-f]{16}$/) },
        eventTime: "2026-01-01T00:00:00.000000Z",
        regarding: { apiVersion: "v1", kind: "ConfigMap", namespace: "team", name: "x", uid: "u-1" },
        reportingController: "bellhop.dev/operator",
        reportingInstance: "pod-1",
        type: "Warning",
        reason: "HookGone",
        note: "The hook is gone.",
        action: "Repair",
      },
    ]);
  });

  it("counts repetitions in one series, written once for many", async () => {
    const { recorder, clock, client, written } = aRecorder();
    for (let i = 0; i < 50; i++) recorder.record(object, content);
    await clock.advance(10_000);
    expect(written()).toMatchObject([{ series: { count: 50, lastObservedTime: "2026-01-01T00:00:00.000000Z" } }]);
    expect(client.calls.map(({ verb }) => verb)).toEqual(["create", "mergePatch"]);
  });

  it("keeps other reasons and other objects apart", async () => {
    const { recorder, written } = aRecorder();
    recorder.record(object, content);
    recorder.record(object, { ...content, reason: "Other" });
    recorder.record({ ...object, metadata: { ...object.metadata, name: "y", uid: "u-2" } }, content);
    await recorder.flush();
    expect(written()).toHaveLength(3);
  });

  it("starts a new series after six minutes without a repetition", async () => {
    const { recorder, clock, written } = aRecorder();
    recorder.record(object, content);
    await clock.advance(360_000);
    recorder.record(object, content);
    await recorder.flush();
    expect(written()).toHaveLength(2);
  });

  it("starts a new series when the Event has expired", async () => {
    const { recorder, client, written } = aRecorder();
    recorder.record(object, content);
    await recorder.flush();
    const [event] = written();
    await client.delete(events, event?.metadata ?? { name: "" });
    recorder.record(object, content);
    await recorder.flush();
    recorder.record(object, content);
    await recorder.flush();
    expect(written()).toHaveLength(1);
  });

  it("cuts a note at 1,024 bytes, not inside a character", async () => {
    const { recorder, written } = aRecorder();
    recorder.record(object, { ...content, message: "€".repeat(1_000) });
    await recorder.flush();
    const note = written()[0]?.note ?? "";
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
    expect(note).toMatch(/^€{340}…$/);
  });

  it("never throws: a failed write is logged, and the next Event is written", async () => {
    const { recorder, client, warnings, written } = aRecorder();
    client.before = () => {
      throw failure(403, "Forbidden");
    };
    recorder.record(object, content);
    await recorder.flush();
    client.before = () => undefined;
    recorder.record(object, { ...content, reason: "Next" });
    await recorder.flush();
    expect(warnings).toEqual(["could not write an Event"]);
    expect(written()).toHaveLength(1);
  });

  it("logs a failed write of a count", async () => {
    const { recorder, client, warnings } = aRecorder();
    recorder.record(object, content);
    await recorder.flush();
    client.before = () => {
      throw failure(403, "Forbidden");
    };
    recorder.record(object, content);
    await recorder.flush();
    expect(warnings).toEqual(["could not write an Event"]);
  });

  it("drops Events instead of using unlimited memory when the server is slow", async () => {
    const { recorder, client, warnings } = aRecorder();
    const gate = Promise.withResolvers<void>();
    client.before = () => gate.promise;
    for (let i = 0; i < 150; i++) recorder.record(object, { ...content, reason: `R${i}` });
    expect(warnings).toHaveLength(50);
    gate.resolve();
    await recorder.flush();
    expect(client.calls).toHaveLength(100);
    expect(client.objects(configMaps)).toEqual([]);
  });
});
