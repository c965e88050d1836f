import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import { agentEvent } from "../protocol/channel.ts";
import { custom } from "./custom.ts";

describe("the reader of custom agents", () => {
  it.each([
    { line: '{"type":"progress","text":"reading"}', event: { type: "progress", text: "reading" } },
    {
      line: '{"type":"progress","text":"t","checklist":[{"text":"a","done":true}]}',
      event: { type: "progress", text: "t", checklist: [{ text: "a", done: true }] },
    },
    { line: '{"type":"message","text":"hi","more":1}', event: { type: "message", text: "hi" } },
    { line: ' {"type":"result","summary":"done"}\r', event: { type: "result", summary: "done" } },
    { line: '{"type":"published","commit":"f00"}', event: undefined },
    { line: '{"type":"result"}', event: undefined },
    { line: '{"type":"message","text":""}', event: undefined },
    { line: "[]", event: undefined },
    { line: "not json", event: undefined },
  ])("reads $line as $event", ({ line, event }) => {
    expect(custom.read(line)).toEqual(event);
  });

  it("truncates long texts between characters", () => {
    const cut = custom.read(JSON.stringify({ type: "progress", text: "😀".repeat(400) }));
    expect(cut).toEqual({ type: "progress", text: `${"😀".repeat(255)}…` });
    const items = Array.from({ length: 50 }, () => ({ text: "a", done: false }));
    const list = custom.read(JSON.stringify({ type: "progress", text: "t", checklist: items }));
    expect(list?.type === "progress" && list.checklist).toHaveLength(32);
    const last = list?.type === "progress" ? list.checklist?.at(-1)?.text : undefined;
    expect(last).toMatch(/^… \d+ more items, \d+ of them open$/);
  });

  it("returns only events that the protocol allows, for any line", () => {
    const json = fc.json({ maxDepth: 2 });
    const shaped = fc.record({
      type: fc.constantFrom("progress", "message", "result"),
      text: fc.jsonValue({ maxDepth: 1 }),
      summary: fc.jsonValue({ maxDepth: 1 }),
    });
    const line = fc.oneof(
      fc.string(),
      json,
      shaped.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(line, (text) => {
        const event = custom.read(text);
        const cut = custom.readCut(text.slice(0, Math.ceil(text.length * 0.7)));
        return [event, cut].every((one) => one === undefined || agentEvent.safeParse(one).success);
      }),
      { numRuns: thorough(100_000), seed: 7 },
    );
  });
});
