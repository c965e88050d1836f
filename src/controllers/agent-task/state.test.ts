import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byReceipt, newestFirst, receiptOf } from "./state.ts";
import { aTask, type TaskOverrides } from "./testing.ts";

const inOrder = (tasks: TaskOverrides[]): string[] =>
  tasks
    .map(aTask)
    .toSorted((a, b) => newestFirst(b, a))
    .map(({ metadata }) => metadata.name);

const second = "2026-03-01T12:00:00Z";
const received = (name: string, ms: string, more: TaskOverrides["source"] = {}): TaskOverrides => ({
  name,
  createdAt: second,
  source: { receivedAt: `2026-03-01T12:00:00.${ms}Z`, ...more },
});

describe("the order of tasks", () => {
  it("is the order of receipt, to the millisecond, if they were created in the same second", () => {
    expect(inOrder([received("a", "900"), received("c", "100"), received("b", "899")])).toEqual(["c", "b", "a"]);
  });

  it("is the order of receipt even if the first one was stored later", () => {
    const slow = { ...received("a", "100"), createdAt: "2026-03-01T12:00:01Z" };
    expect(inOrder([received("b", "900"), slow])).toEqual(["a", "b"]);
  });

  it("places a comment that was missed and delivered again by its receipt, not by the time it was written", () => {
    const missed = received("a", "500", { occurredAt: "2026-03-01T09:00:00Z" });
    expect(inOrder([missed, received("b", "400", { occurredAt: second })])).toEqual(["b", "a"]);
  });

  it("uses the provider's own order within a millisecond: its time, then its object id", () => {
    const comment = (id: string) => ({ object: { type: "IssueComment", id } as const, occurredAt: second });
    const tasks = [
      received("a", "100", comment("1000")),
      received("b", "100", comment("999")),
      received("c", "100", { ...comment("2000"), occurredAt: "2026-03-01T11:59:59Z" }),
    ];
    expect(inOrder(tasks)).toEqual(["c", "b", "a"]);
  });

  it("uses the creation time of a task without a time of receipt", () => {
    const { receivedAt: _, ...source } = aTask().spec.source;
    const old = aTask({ createdAt: second });
    expect(receiptOf({ ...old, spec: { ...old.spec, source } }).receivedMs).toBe(Date.parse(second));
  });

  it("uses the creation time of a task from kubectl, whatever its author claims", () => {
    const claimed = {
      provider: "kubernetes",
      receivedAt: "1970-01-01T00:00:00.001Z",
      occurredAt: "1970-01-01T00:00:00Z",
    };
    expect(receiptOf(aTask({ createdAt: second, source: claimed }))).toMatchObject({
      receivedMs: Date.parse(second),
      occurredMs: Date.parse(second),
    });
  });

  it("is the same for every sort and every initial order", () => {
    const receipt = fc.record({
      receivedMs: fc.integer({ min: 0, max: 2 }),
      occurredMs: fc.integer({ min: 0, max: 2 }),
      objectId: fc.constantFrom("", "9", "10", "11"),
      name: fc.constantFrom("a", "b", "c-1", "c0"),
    });
    fc.assert(
      fc.property(fc.array(receipt, { maxLength: 8 }), (receipts) => {
        const sorted = receipts.toSorted(byReceipt);
        expect(receipts.toReversed().toSorted(byReceipt)).toEqual(sorted);
        const pairs = sorted.flatMap((a, at) => sorted.slice(at).map((b) => byReceipt(a, b)));
        expect(Math.max(0, ...pairs)).toBe(0);
      }),
      { numRuns: 2_000, seed: 11 },
    );
  });
});
